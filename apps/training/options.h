// SPDX-License-Identifier: Apache-2.0
// The options of a fine-tuning or pre-training, in groups.
#pragma once

#include <string>
#include <vector>

#include "apps/inference/max_length.h"
#include "apps/training/corpus_options.h"
#include "apps/training/task_options.h"
#include "core/options.h"
#include "core/products/precision.h"
#include "data/text/table.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

namespace espalier {

enum class GradientType { f32, bf16 };
template <>
struct Names<GradientType> {
  static constexpr const char* list[] = {"f32", "bf16"};
};

// How the weights move.
struct LearningOptions {
  int64_t epochs = 3,  // 0, where that is the default: nothing is learned
      batch_size = 32, accumulate = 1, max_steps = 0;
  int64_t micro_batches = 1;
  const Option* micro_batches_row = nullptr;  // whether the number was given
  GradientType gradient_dtype = GradientType::f32;
  bool shuffle = true;
  double learning_rate = 2e-5, weight_decay = 0.01, warmup = 0.06, max_grad_norm = 1;
  Rule optimizer = Rule::adamw;
  Decay schedule = Decay::linear;
  double layer_decay = 1;                // see optim/parameter_groups
  std::vector<std::string> freeze = {};  // patterns of names
  double ema = 0;                        // decay of the average of the weights; 0: there is none

  void declare(Options& rows);
};

// When the model is evaluated, and what stays of it.
struct KeepOptions {
  int64_t evaluate_every = 0, save_every = 0, patience = 0, keep_last = 0;
  double min_improvement = 0;
  bool resume = false;

  void declare(Options& rows);
};

enum class LogFormat { jsonl, tensorboard, both };
template <>
struct Names<LogFormat> {
  static constexpr const char* list[] = {"jsonl", "tensorboard", "both"};
};

struct LogOptions {
  std::string folder;  // empty: no log
  LogFormat format = LogFormat::jsonl;

  void declare(Options& rows);
};

// Where the data is when --data does not name it: SST-2, or what stands in for it, or nowhere.
enum class DefaultData { sst2, none };

struct TrainOptions {
  std::string model, data, dev_data, output, vocab;
  TableOptions table;
  CorpusOptions corpus = {};  // with files: pre-training on plain text, else data and labels count
  double validation_split = 0;
  std::string head;  // of a new head, by its name in nn/heads: --task; empty: the model's
  DefaultData default_data = DefaultData::sst2;
  std::vector<std::string> labels = {};  // empty: those of the model, else of the data
  MaxLength max_length;
  double dropout = -1;
  Precision precision = Precision::automatic;
  bool overwrite = false, gradient_checkpointing = false, dry_run = false;
  TaskOptions task;
  LearningOptions learning;
  KeepOptions keep;
  LogOptions log;
  uint64_t seed = 0;  // a row of every program's: see apps/cli/program.h

  void declare_model(Options& rows);  // --model, required
  void declare(Options& rows);        // all others of a fine-tuning
  void declare_pretraining(Options& rows);

 private:
  void declare_data(Options& rows);
  void declare_output(Options& rows);
  void declare_work(Options& rows);
};

}  // namespace espalier
