// SPDX-License-Identifier: Apache-2.0
// Calibration: batches of training text run forward and backward, without an update, so that a compressor sees
// gradients and inputs. Used by prune.
#pragma once

#include <string>

#include "apps/shared/program.h"
#include "compress/compressor.h"
#include "data/model_source.h"

namespace espalier {

struct CalibrationOptions {
  std::string data;  // folder with train.tsv; as find_data
  int64_t steps = 64, batch_size = 32;
  int max_length = 128;
};

// Calls the compressor's hooks for the steps 0 … steps - 1 as training would, without dropout and without updates, and
// before_forward(steps).
void calibrate(Compressor& compressor, Model& model, const CalibrationOptions& options, const CommonOptions& common);

}  // namespace espalier
