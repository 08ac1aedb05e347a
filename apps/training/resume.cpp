// SPDX-License-Identifier: Apache-2.0
// What a stopped run leaves behind, and how it goes on: to the same bits as without the stop.
#include "apps/training/output.h"
#include "apps/training/run.h"
#include "core/check.h"
#include "core/dealt.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

const char* const inputs_entry = "inputs";         // of a checkpoint's options: RunInputs
const char* const step_entry = "best-step";        // of an output's: the step that its weights are of
const char* const metrics_entry = "best-metrics";  // and their evaluation
const char* const ema_entry = "ema";
const char* const corpus_entry = "corpus";  // of TrainingState::extra: where the stream stands

void expect_same_options(const Options& rows, const Checkpoint& saved, const std::string& file) {
  rows.expect_same(saved.contents().options, file, {"prune.seed", inputs_entry, step_entry, metrics_entry});
}

}  // namespace

// The files that this run writes are its own from now on. A resumed one opens what it goes on from.
void Run::claim_files() {
  if (options_.dry_run) return;
  bool stopped = false;
  if (is_first_rank()) {
    output_lock_ = FileLock(output_);
    state_lock_ = FileLock(state_path_);
    stopped = options_.keep.resume && fs::exists(state_path_);
    was_over_ = options_.keep.resume && !stopped && !output_lock_.left_behind() && fs::exists(output_);
  }
  stopped = of_first_rank(stopped);
  was_over_ = of_first_rank(was_over_);
  if (!stopped && !was_over_) {
    if (options_.keep.resume)
      listener_.say("resume: there is no " + state_path_.string() + " yet, starting from the beginning");
    return;
  }
  const fs::path& file = stopped ? state_path_ : output_;
  saved_.emplace(file);
  CHECK(!stopped || saved_->resumes(), file.string(),
        ": has no training state; expected the state of a stopped run: remove it to start anew");
  inputs_ = RunInputs(saved_->contents().options.at(inputs_entry, Record()), file.string());
  if (!saved_->contents().options.has(inputs_entry))
    listener_.say("resume: " + file.string() +
                  " was written by an earlier version, without fingerprints: whether model, data and teachers are "
                  "those of the stopped run is not checked");
}

void Run::check_options() const {
  if (saved_) expect_same_options(rows_, *saved_, was_over_ ? output_.string() : state_path_.string());
}

void Run::resume() {
  for (const auto& [name, fingerprint] : compressors_.inputs()) inputs_.add(name, fingerprint);
  inputs_.check_complete();
  model_->options = rows_.effective();
  model_->options.set(inputs_entry, inputs_.record());
  if (was_over_ || options_.dry_run) return;
  if (!saved_) {
    announce_replaced(output_, options_.overwrite, Written::checkpoint);
    announce_replaced(state_path_, options_.overwrite, Written::checkpoint);
    return;
  }
  saved_->load_weights(model_->store);
  saved_->load_optimizer(*optimizer_, model_->store);
  if (ema_) ema_->load(saved_->root().group(ema_entry));
  if (!compressors_.empty()) compressors_.load(saved_->root().group("compressors"));
  state_ = saved_->state();
  first_step_ = state_.step;
  check_position();
  if (feed_.go_to) feed_.go_to(state_.extra.at(corpus_entry, Record()), state_path_.string());
  check_best();
  saved_.reset();
  listener_.say(format("resume: from step %ld of ", state_.step) + state_path_.string());
}

// Throws unless this run can have been there: it would never end, or end too early.
void Run::check_position() const {
  const int64_t windows = feed_.windows;
  CHECK(state_.epoch >= 0 && state_.batch >= 0 && state_.batch <= windows &&
            state_.step == state_.epoch * windows + state_.batch && state_.step <= schedule_.total &&
            evaluated_step() >= 0 && evaluated_step() <= state_.step && state_.best_step <= evaluated_step(),
        state_path_.string(), ": stands at step ", state_.step, ", epoch ", state_.epoch + 1, ", batch ", state_.batch,
        ", which this run of ", schedule_.total, " steps, ", windows,
        " an epoch, does not pass; start anew without "
        "--resume");
}

// The best checkpoint so far is in the output. It may be of a later step, where the run was killed before the next
// save.
void Run::check_best() const {
  if (state_.best_step == 0) {
    announce_replaced(output_, options_.overwrite, Written::checkpoint);
    return;
  }
  const std::string remedy = "; restore it, or start anew without --resume";
  CHECK(fs::exists(output_), output_.string(), ": is not there, but ", state_path_.string(),
        " says that it has the best checkpoint so far, of step ", state_.best_step, remedy);
  const Checkpoint best(output_);
  const Record& options = best.contents().options;
  expect_same_options(rows_, best, output_.string());
  if (!options.has(inputs_entry)) return;
  const int64_t step = options.integer(step_entry, 0);
  CHECK(options.at(inputs_entry) == inputs_.record() && (step == state_.best_step || step > evaluated_step()),
        output_.string(), ": is not the best checkpoint of the run in ", state_path_.string(), ", which is of step ",
        state_.best_step, remedy);
}

// Of a checkpoint of this step, whose evaluation gave the metrics.
CheckpointContents Run::contents_of(const Record& metrics) const {
  CheckpointContents contents = model_->contents();
  contents.options.set(step_entry, state_.step);
  contents.options.set(metrics_entry, metrics);
  return contents;
}

TrainResult Run::result_of_finished() const {
  say_always("resume: there is no " + state_path_.string() +
             " to go on from, since this run has ended; its best checkpoint is in " + output_.string() +
             ". Without --resume it would start anew");
  const Record options = Checkpoint(output_).contents().options, metrics = options.at(metrics_entry, Record());
  return {.output = output_,
          .was_over = true,
          .loss = metrics.number("loss", 0),
          .best = metrics.number(metric_.name, 0),
          .metric = metric_,
          .metrics = metrics,
          .best_step = options.integer(step_entry, 0)};
}

void Run::save_state() const {
  TrainingState state = state_;
  if (feed_.position) state.extra.set(corpus_entry, feed_.position());
  if (!is_first_rank()) {  // the optimizer's moments are on all ranks
    optimizer_->first_moments();
    optimizer_->second_moments();
    return;
  }
  save_checkpoint(state_path_, model_->store, model_->contents(), optimizer_.get(), &state, [&](const Hdf5Group& root) {
    if (!compressors_.empty()) compressors_.save(root.create_group("compressors"));
    if (ema_) ema_->save(root.create_group(ema_entry));
  });
}

}  // namespace espalier
