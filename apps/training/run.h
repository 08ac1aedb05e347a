// SPDX-License-Identifier: Apache-2.0
// A run of training: from options to a finished checkpoint. The loop is Run::run in run.cpp; what it needs is made in
// set_up.cpp, what it keeps of its evaluations in keep.cpp, what it keeps for a resumed run in resume.cpp, and what it
// would be like is found in dry_run.cpp.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "apps/training/evaluate.h"
#include "apps/training/feed.h"
#include "apps/training/forecast.h"
#include "apps/training/log.h"
#include "apps/training/options.h"
#include "apps/training/run_inputs.h"
#include "apps/training/signals.h"
#include "apps/training/step.h"
#include "apps/training/timing.h"
#include "compress/algorithm.h"
#include "compress/compressor_list.h"
#include "core/ranks.h"
#include "data/files/file_lock.h"
#include "optim/ema.h"
#include "optim/schedule.h"

namespace espalier {

struct TrainResult {
  std::filesystem::path output;
  bool was_over = false;  // --resume found the output of a run that has ended: of what is below, it says the first five
  int signal = 0;         // that stopped the run: its state is saved, and nothing else below counts
  double loss = 0;        // of the best evaluation, whose weights are in the output
  double best = 0;        // by the metric that chose it
  Metric metric;
  Record metrics;  // all of the best evaluation, by name
  int64_t best_step = 0;
  int64_t steps = 0;
  bool early = false;                        // ended by --patience, before the last step
  double training_seconds = 0, seconds = 0;  // without evaluations; in all
  double sentences_per_second = 0, steps_per_second = 0;
};

class Run {
 public:
  // `rows` has the rows of the options and the algorithms, with values that were checked. All must outlive the run.
  Run(TrainOptions& options, const Options& rows, const std::vector<Algorithm>& algorithms, const Listener& listener);

  // Trains to the end, or to a signal: SIGINT and SIGTERM save the state and end the run. Throws Failure where the loss
  // is no longer a number.
  TrainResult run();

  // Instead of run(), with options.dry_run: takes a few steps and says what all would need. Writes no file.
  Forecast dry_run();

 private:
  void open_model();
  Task new_task(const BertConfig& config) const;
  void choose_micro_batches();
  void read_data();
  void read_table();
  void read_plain_text();
  LoaderOptions loader_options() const;
  void make_optimizer();
  void make_compressors();
  DType choose_precision();
  Setting setting() const;

  void claim_files();
  void check_options() const;
  void resume();
  void check_position() const;
  void check_best() const;
  TrainResult result_of_finished() const;
  CheckpointContents contents_of(const Record& metrics) const;
  void save_state() const;

  int64_t evaluated_step() const { return state_.extra.integer("evaluated_step", 0); }  // the last one
  int64_t next_evaluation() const;
  bool out_of_patience() const;
  bool stops() const { return any_rank(stop_signal() != 0); }
  bool over() const { return evaluated_step() >= schedule_.total || out_of_patience(); }
  double epochs_done() const { return static_cast<double>(state_.step) / static_cast<double>(feed_.windows); }
  StepOptions step_options();
  double take_measured_step(const Epoch& epoch, int64_t window, int64_t step);
  double seconds_of_evaluation();
  int64_t evaluations() const;
  void log_step(const Window& window, const StepResult& result, double rate);
  void evaluate_and_keep();
  bool keep_if_best(const Metrics& metrics);
  void count_for_patience(double value);
  void keep_last(const Metrics& metrics);
  void finish();
  TrainResult result() const;

  TrainOptions& options_;
  const Options& rows_;
  const std::vector<Algorithm>& algorithms_;
  Listener listener_;
  Stopwatch watch_;
  std::filesystem::path output_, state_path_;
  FileLock output_lock_, state_lock_;  // a.h5 and a.bin have one state
  std::optional<Checkpoint> saved_;    // what a resumed run goes on from; none once it has
  RunInputs inputs_;
  bool was_over_ = false;
  std::unique_ptr<Model> model_;
  TokenizedDataset train_data_, dev_data_;
  Metric metric_;                       // which chooses the best checkpoint
  std::unique_ptr<CorpusText> corpus_;  // null: the text is train_data_
  std::unique_ptr<Loader> loader_;      // of train_data_
  Feed feed_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<GradientSum> sum_;  // null: one batch, one process
  std::unique_ptr<Ema> ema_;          // null: the weights themselves are evaluated and saved
  CompressorList compressors_;
  Schedule schedule_;
  TrainingState state_;
  RunLog log_;
  double training_seconds_ = 0;  // of this process, without evaluation
  int64_t sentences_ = 0, first_step_ = 0;
};

}  // namespace espalier
