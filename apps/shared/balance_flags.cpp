// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/balance_flags.h"

#include "compress/quantization/bias_correction.h"
#include "compress/quantization/equalize.h"
#include "core/check.h"

namespace espalier {

void BalanceFlags::declare(CLI::App& app) {
  app.add_option("--equalize", equalize_,
                 "balance inputs and weights of each attention output layer first (SmoothQuant), with this share of "
                 "the burden on the weights, 0 to 1, such as 0.5; negative: not")
      ->capture_default_str();
  app.add_flag("--correct-biases", correct_biases_,
               "let biases take back what rounding the weights does to the mean of a layer's outputs");
}

void BalanceFlags::check() const {
  CHECK(equalize_ <= 1, "--equalize ", equalize_, ": a share from 0 to 1 is expected");
}

void BalanceFlags::before(Model& model, const CalibrationFlags& calibration, const CommonOptions& common) {
  if (!on()) return;
  require_f32(model, "equalisation and bias correction");
  statistics_.attach(*model.bert, model.store);
  calibrate(statistics_, model, calibration, common, false);
  if (equalize_ >= 0) {
    equalize(*model.bert, statistics_, equalize_);
    statistics_.forget();
    calibrate(statistics_, model, calibration, common, false);  // of the balanced model
  }
  statistics_.detach();
}

void BalanceFlags::after(const Model& model) const {
  if (correct_biases_) correct_biases(*model.bert, statistics_);
}

nlohmann::json BalanceFlags::effective() const {
  return {{"equalize", equalize_}, {"correct-biases", correct_biases_}};
}

}  // namespace espalier
