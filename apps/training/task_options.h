// SPDX-License-Identifier: Apache-2.0
// The options of a task's training: its loss, and the metric that chooses the best checkpoint. Part of TrainOptions.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "core/listener.h"
#include "core/options.h"
#include "data/text/loader.h"
#include "nn/heads/head.h"

namespace espalier {

// --class-weights: none, one for each class, or those that make up for how often each class occurs.
struct ClassWeights {
  bool balanced = false;
  std::vector<double> values = {};

  bool given() const { return balanced || !values.empty(); }
};

struct TaskOptions {
  ClassWeights class_weights;
  double label_smoothing = 0, focal_gamma = 0;
  std::string metric;  // empty: Head::metric()

  void declare(Options& rows);
  // Gives the head its training loss, and says which. Throws for what its task does not have, for weights that do not
  // fit its classes, and where the training sentences have no balanced ones.
  void set_loss(Head& head, const TokenizedDataset& train, const Listener& listener) const;
  // The metric, of the head's. Throws for an unknown one, listing those that there are, and for one that the labels of
  // these dev sentences leave undefined, whatever a model answers.
  Metric chosen_metric(const Head& head, const TokenizedDataset& dev) const;
};

std::ostream& operator<<(std::ostream& out, const ClassWeights& value);
Record option_record(const ClassWeights& value);

template <>
struct OptionValue<ClassWeights> {
  static bool read(const std::string& text, ClassWeights& value);
  static std::string expected() {
    return "balanced, or numbers from 0 on with commas between, one of them above 0, are expected";
  }
  static constexpr const char* type = "WEIGHTS";
};

}  // namespace espalier
