// SPDX-License-Identifier: Apache-2.0
// Learned: parameters that belong to a compressor and not to the model (scores, scales, projections), with an AdamW of
// their own, and their place in a resumable checkpoint.
#pragma once

#include <memory>

#include "core/hdf5/file.h"
#include "optim/optimizer.h"

namespace espalier {

class Learned {
 public:
  ParameterStore store;  // add parameters, then start()

  void start();  // lays the store out, values zero; from now on it learns
  bool started() const { return optimizer_ != nullptr; }
  void step(double learning_rate) { optimizer_->step(learning_rate); }

  // Values, moments and the number of steps: a resumed run has the same bits. Nothing unless started.
  void save(const Hdf5Group& group) const;
  void load(const Hdf5Group& group);  // throws, naming the dataset, for what does not fit

 private:
  std::unique_ptr<Optimizer> optimizer_;  // without weight decay
};

}  // namespace espalier
