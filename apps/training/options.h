// SPDX-License-Identifier: Apache-2.0
// The options of a fine-tuning.
#pragma once

#include <string>
#include <vector>

#include "apps/inference/max_length.h"
#include "core/options.h"
#include "core/products/precision.h"
#include "data/text/table.h"
#include "optim/schedule.h"

namespace espalier {

struct TrainOptions {
  std::string model, data, output, vocab, log_dir;
  std::string dev_data;
  TableOptions table;
  double validation_split = 0;
  std::string task;                      // of a new head, by its name in nn/heads; empty: the model's
  std::vector<std::string> labels = {};  // empty: those of the model, else of the data
  int64_t epochs = 3, batch_size = 32, accumulate = 1, max_steps = 0, save_every = 0, evaluate_every = 0;
  MaxLength max_length;
  double learning_rate = 2e-5, weight_decay = 0.01, warmup = 0.06, max_grad_norm = 1, dropout = -1;
  Decay schedule = Decay::linear;
  Precision precision = Precision::automatic;
  bool shuffle = true, resume = false, overwrite = false, gradient_checkpointing = false;
  uint64_t seed = 0;  // a row of every program's: see apps/cli/program.h

  void declare_model(Options& rows);  // --model, required
  void declare(Options& rows);        // all others
};

}  // namespace espalier
