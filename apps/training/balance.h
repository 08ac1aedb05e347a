// SPDX-License-Identifier: Apache-2.0
// What quantize can do around the rounding: balance inputs and weights before (--equalize), take back the mean error in
// the biases behind (--correct-biases). Both look at training text.
#pragma once

#include "apps/training/calibrate.h"
#include "compress/input_statistics.h"

namespace espalier {

class Balance {
 public:
  void declare(Options& rows);
  bool on() const { return equalize_ >= 0 || correct_biases_; }

  // Equalises the model, if that is asked for, and keeps what its inputs look like from then on.
  void before(Model& model, const CalibrationOptions& calibration, const Listener& listener);
  void after(const Model& model) const;  // corrects the biases, if that is asked for

 private:
  double equalize_ = -1;  // negative: not
  bool correct_biases_ = false;
  InputStatistics statistics_;
};

}  // namespace espalier
