// SPDX-License-Identifier: Apache-2.0
#include "apps/training/run.h"

#include <algorithm>
#include <cmath>
#include <csignal>

#include "apps/training/signals.h"
#include "core/check.h"

namespace espalier {

TrainResult Run::run() {
  if (was_over_) return result_of_finished();
  bool stopping = stops();
  while (!over() && !stopping) {
    for (const int64_t next = next_evaluation(); state_.step < next && !stopping;) {
      const Stopwatch watch;
      const Window window = feed_.window(state_.epoch, state_.batch);
      const StepOptions step = step_options();
      const StepResult result = take_step(*model_, window, compressors_, step);
      if (!result.finite())
        throw Failure(
            format("training: loss %g and gradient norm %g at step %ld (epoch %ld, batch %ld); the last good "
                   "checkpoint is kept; try a lower --learning-rate",
                   result.loss, result.norm, state_.step + 1, state_.epoch + 1, state_.batch + 1));
      ++state_.step;
      ++state_.batch;
      if (ema_) ema_->update(state_.step);
      training_seconds_ += watch.seconds();
      log_step(window, result, step.rate);
      if (options_.keep.save_every > 0 && state_.step % options_.keep.save_every == 0) save_state();
      stopping = stops();
    }
    if (stopping) break;  // an evaluation that is due is left to the resumed run
    evaluate_and_keep();
    if (state_.batch == feed_.windows) {
      ++state_.epoch;
      state_.batch = 0;
    }
    if (options_.keep.save_every > 0) save_state();
    stopping = stops();
  }
  if (!over()) {
    save_state();
    listener_.say(format("stopped after step %ld; --resume continues from ", state_.step) + state_path_.string());
    TrainResult stopped;
    stopped.output = output_;
    stopped.signal = stop_signal() != 0 ? stop_signal() : SIGTERM;  // which another rank got
    return stopped;
  }
  if (state_.best_step == 0)
    throw Failure(
        "training: no evaluation had a defined " + metric_.name +
        ", since all answers were the same: nothing was saved; choose another --metric, or a lower --learning-rate");
  if (is_first_rank()) {
    finish();
    std::error_code ignored;
    std::filesystem::remove(state_path_, ignored);
  }
  return result();
}

// The step before which the model is evaluated next: the end of the epoch or of the run, or --evaluate-every.
int64_t Run::next_evaluation() const {
  const int64_t next = std::min(schedule_.total, (state_.epoch + 1) * feed_.windows),
                every = options_.keep.evaluate_every;
  return every > 0 ? std::min(next, (evaluated_step() / every + 1) * every) : next;
}

StepOptions Run::step_options() {
  return {.step = state_.step,
          .first_batch =
              static_cast<uint64_t>(state_.step * options_.learning.accumulate * options_.learning.micro_batches),
          .seed = options_.seed,
          .sum = sum_.get(),
          .optimizer = optimizer_.get(),
          .rate = schedule_.rate(state_.step),
          .max_norm = options_.learning.max_grad_norm};
}

void Run::log_step(const Window& window, const StepResult& result, double rate) {
  sentences_ += window.sentences;
  const double speed = static_cast<double>(sentences_) / training_seconds_;
  Record line = {{"step", state_.step},      {"epoch", epochs_done()}, {"loss", result.loss},
                 {"grad_norm", result.norm}, {"learning_rate", rate},  {"examples_per_second", speed}};
  for (const auto& [name, value] : compressors_.terms()) line.set(name, value);
  log_.write(line);
  listener_.progress(
      state_.step, schedule_.total,
      format("epoch %ld  loss %.4f  rate %.2e  %.1f examples/s", state_.epoch + 1, result.loss, rate, speed));
}

TrainResult Run::result() const {
  const double seconds = std::max(training_seconds_, 1e-9);  // resumed at its end, a run has trained nothing
  return {.output = output_,
          .loss = state_.extra.number("best_loss", 0.0),
          .best = state_.best_accuracy,
          .metric = metric_,
          .metrics = state_.extra.at("best", Record()),
          .best_step = state_.best_step,
          .steps = state_.step,
          .early = state_.step < schedule_.total,
          .training_seconds = training_seconds_,
          .seconds = watch_.seconds(),
          .sentences_per_second = static_cast<double>(sentences_) / seconds,
          .steps_per_second = static_cast<double>(state_.step - first_step_) / seconds};
}

}  // namespace espalier
