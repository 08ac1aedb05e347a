// SPDX-License-Identifier: Apache-2.0
// Calibration: batches of training text run forward and backward, without an update, so that a compressor sees
// gradients and inputs. Used by prune and quantize.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/shared/program.h"
#include "compress/compressor.h"
#include "data/models/model_source.h"

namespace espalier {

struct CalibrationFlags {
  std::string data;  // TSV file, or folder with train.tsv; as find_data
  int64_t steps = 64, batch_size = 32;
  int max_length = 128;

  // `who` uses the text, for the help; `option` names it and `what` says what it can be.
  void declare(CLI::App& app, const std::string& who, const std::string& option, const std::string& what);
  // Throws for a value out of range, and for an option that was given although nothing is calibrated; --max-length is
  // for what `evaluates`, too.
  void check(bool used, bool evaluates = false) const;
  nlohmann::json effective() const;

 private:
  std::vector<CLI::Option*> declared_;
};

// Calls the compressor's hooks for the steps 0 … steps - 1 as training would, without dropout and without updates, and
// before_forward(steps). Without `gradients` the backward pass is left out.
void calibrate(Compressor& compressor, Model& model, const CalibrationFlags& flags, const CommonOptions& common,
               bool gradients);

}  // namespace espalier
