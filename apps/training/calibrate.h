// SPDX-License-Identifier: Apache-2.0
// Calibration: batches of training text run forward, and if asked backward, without an update, so that a compressor
// sees inputs and gradients.
#pragma once

#include <functional>
#include <string>

#include "apps/inference/max_length.h"
#include "compress/compressor.h"
#include "core/listener.h"
#include "core/options.h"
#include "data/models/model_source.h"
#include "data/text/table.h"

namespace espalier {

struct CalibrationOptions {
  std::string data;  // as find_data, of which the training file is taken
  TableOptions table;
  int64_t steps = 64, batch_size = 32, micro_batches = 1;
  MaxLength max_length;
  uint64_t seed = 0;  // of the order of the sentences

  // `who` uses the text, for the help; `option` names it and `what` says what it can be. The rows are refused unless
  // something is calibrated (`used`); --max-length is for what `evaluates`, too.
  void declare(Options& rows, const std::string& who, const std::string& option, const std::string& what,
               const std::function<bool()>& used, const std::function<bool()>& evaluates);
};

// Calls the compressor's hooks for the steps 0 … steps - 1 as training would, without dropout and without updates, and
// before_forward(steps). Without `gradients` the backward pass is left out. All ranks call it and share the batches'
// micro-batches.
void calibrate(Compressor& compressor, Model& model, const CalibrationOptions& options, bool gradients,
               const Listener& listener);

}  // namespace espalier
