// SPDX-License-Identifier: Apache-2.0
#include "apps/training/balance.h"

#include "compress/quantization/bias_correction.h"
#include "compress/quantization/equalize.h"

namespace espalier {

void Balance::declare(Options& rows) {
  rows.add("equalize", equalize_,
           "balance inputs and weights of each attention output layer first (SmoothQuant), with this share of the "
           "burden on the weights, 0 to 1, such as 0.5; negative: not")
      .range([this] { return equalize_ <= 1; }, "a share from 0 to 1 is expected");
  rows.flag("correct-biases", correct_biases_,
            "let biases take back what rounding the weights does to the mean of a layer's outputs");
}

void Balance::before(Model& model, const CalibrationOptions& calibration, const Listener& listener) {
  if (!on()) return;
  require_f32(model, "equalisation and bias correction");
  statistics_.attach(*model.bert, model.store);
  calibrate(statistics_, model, calibration, false, listener);
  if (equalize_ >= 0) {
    equalize(*model.bert, statistics_, equalize_);
    statistics_.forget();
    calibrate(statistics_, model, calibration, false, listener);  // of the balanced model
  }
  statistics_.detach();
}

void Balance::after(const Model& model) const {
  if (correct_biases_) correct_biases(*model.bert, statistics_);
}

}  // namespace espalier
