// SPDX-License-Identifier: Apache-2.0
// One training step: forward and backward passes over the batches of a window, compressors, update. Used by training,
// calibration and benchmarks.
#pragma once

#include "compress/compressor.h"
#include "core/profile.h"
#include "data/models/model_source.h"
#include "optim/gradient_sum.h"
#include "optim/optimizer.h"

namespace espalier {

struct StepOptions {
  int64_t step = 0;          // updates before this one
  uint64_t first_batch = 0;  // number of the window's first batch, over all steps: no dropout mask repeats
  uint64_t seed = 0;
  bool training = true;            // with dropout
  bool gradients = true;           // false: forward passes only, which observers watch; all ranks share the lanes
  GradientSum* sum = nullptr;      // of the lanes of all ranks; null: there is one lane, and no other rank
  Optimizer* optimizer = nullptr;  // null: no update, the gradients are forgotten
  double rate = 0;                 // learning rate
  double max_norm = 0;             // of all gradients; 0: they are not clipped
  Profile* profile = nullptr;      // where time and work go
};

struct StepResult {
  double loss = 0, norm = 0;  // of the task and the compressors' terms; of the gradients, before clipping
  double forward_seconds = 0, backward_seconds = 0, update_seconds = 0;

  bool finite() const;  // else there was no update
};

// Every hook of the compressor that belongs to a step is called once. The loss is the mean over the window's labelled
// sentences, so that accumulation equals the large batch.
StepResult take_step(Model& model, const Window& window, Compressor& compressor, const StepOptions& options);

}  // namespace espalier
