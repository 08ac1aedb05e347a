// SPDX-License-Identifier: Apache-2.0
// Ema: the exponential moving average of all weights of a run (Polyak & Juditsky 1992). After step t it is
//   a_t = a_(t-1) + (1 - d) / (1 - d^t) (w_t - a_(t-1)),
// the mean of w_1 … w_t in which each step back counts d times as much: the weights before the first step, where a
// plain average would begin, have no part in it.
#pragma once

#include <cstdint>

#include "core/hdf5/file.h"
#include "nn/parameter.h"

namespace espalier {

class Ema {
 public:
  Ema(ParameterStore& store, double decay);  // decay d in (0, 1)

  // Step `step`, counted from 1, has updated the stored values. Masked weights and the scales of a quantizer are as in
  // the weights themselves: the average is of stored values, and what is behind them follows when it is in use.
  void update(int64_t step);

  // While it lives, the average is in the store and the forward pass sees it, behind masks and all other transforms.
  class InUse {
   public:
    explicit InUse(Ema* ema) : ema_(ema) { swap(); }  // null: nothing changes
    ~InUse() { swap(); }
    InUse(const InUse&) = delete;
    InUse& operator=(const InUse&) = delete;

   private:
    void swap() {
      if (ema_ != nullptr) ema_->swap();
    }
    Ema* ema_;
  };

  // What a resumed run needs for the same bits.
  void save(const Hdf5Group& group) const { group.write("average", average_); }
  void load(const Hdf5Group& group) { group.read_into("average", average_); }

 private:
  void swap();

  ParameterStore& store_;
  double decay_;
  Tensor average_;  // [n], laid out as the store's values
};

}  // namespace espalier
