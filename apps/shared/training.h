// SPDX-License-Identifier: Apache-2.0
// Fine-tuning: options, and the loop from batches to a checkpoint. Used by train_sst2 and distill.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "apps/shared/distill_flags.h"
#include "apps/shared/program.h"
#include "apps/shared/prune_flags.h"
#include "apps/shared/quant_flags.h"

namespace espalier {

struct TrainOptions {
  std::string model, data, output, vocab, log_dir;
  std::vector<std::string> labels = {"negative", "positive"};
  int64_t epochs = 3, batch_size = 32, accumulate = 1, max_steps = 0, save_every = 0, evaluate_every = 0;
  int max_length = 128;
  double learning_rate = 2e-5, weight_decay = 0.01, warmup = 0.06, max_grad_norm = 1, dropout = -1;
  std::string schedule = "linear", precision = "auto";
  bool shuffle = true, resume = false, gradient_checkpointing = false;
  PruneFlags prune;
  QuantFlags qat;
  DistillFlags distill;

  // For distill, the model to start from is --student and the teacher's options have no prefix.
  void declare(CLI::App& app, bool distilling = false);
  void complete();     // the student's default: the first teacher
  void check() const;  // throws for the first value out of range, naming the option

  // What decides the result, for the checkpoint and for --resume's check. Leaves out paths of outputs, threads and the
  // like.
  nlohmann::json effective(uint64_t seed) const;
};

// Runs a fine-tuning to its end, or to a signal: SIGINT and SIGTERM save the state and return 128 + the
// signal's number. Returns the exit code.
int train(TrainOptions options, const CommonOptions& common);

}  // namespace espalier
