// SPDX-License-Identifier: Apache-2.0
// What a run makes of an evaluation: the best checkpoint, the last ones, and whether to go on.
#include <cmath>
#include <iterator>
#include <sstream>

#include "apps/training/output.h"
#include "apps/training/run.h"
#include "core/check.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Of TrainingState::extra.
const char* const waited_entry = "waited";        // evaluations without a better metric
const char* const reference_entry = "reference";  // the metric that is to be bettered
const char* const kept_entry = "kept";            // steps of the last checkpoints: "3 6 9"

Record record_of(const Metrics& metrics) {
  Record all = {{"loss", metrics.loss}};
  for (const auto& [name, value] : metrics.values) all.set(name, value);
  return all;
}

}  // namespace

void Run::evaluate_and_keep() {
  const Ema::InUse average(ema_.get());
  compressors_.before_evaluation();
  const Evaluation evaluation = evaluate(*model_->bert, dev_data_, options_.learning.batch_size);
  compressors_.after_evaluation();
  const Metrics& metrics = evaluation.metrics;
  if (!std::isfinite(metrics.loss))
    throw Failure(
        format("evaluation: loss %g after step %ld (epoch %ld, batch %ld); the last good checkpoint is kept; "
               "try a lower --learning-rate",
               metrics.loss, state_.step, state_.epoch + 1, state_.batch));
  state_.extra.set("evaluated_step", state_.step);
  Record line = evaluation.to_record();
  line.set("step", state_.step);
  line.set("epoch", epochs_done());
  log_.write(line);
  const double value = metrics.at(metric_.name);
  const bool complete = compressors_.complete(state_.step), best = complete && keep_if_best(metrics);
  listener_.say(format("epoch %.4g  dev loss %.4f  %s %.4f%s", epochs_done(), metrics.loss, metric_.name.c_str(), value,
                       best                ? "  (best so far, saved)"
                       : std::isnan(value) ? "  (not defined for these answers, not saved)"
                       : !complete         ? "  (pruning or quantization is not at its end, not saved)"
                                           : ""));
  if (options_.keep.keep_last > 0) keep_last(metrics);
  if (complete && options_.keep.patience > 0) count_for_patience(value);
}

bool Run::keep_if_best(const Metrics& metrics) {
  const double value = metrics.at(metric_.name),
               best_so_far = state_.best_step == 0 ? std::nan("") : state_.best_accuracy;
  if (!metric_.better(value, best_so_far)) return false;
  state_.best_accuracy = value;
  state_.best_step = state_.step;
  state_.extra.set("best_loss", metrics.loss);
  state_.extra.set("best", record_of(metrics));
  if (is_first_rank()) save_checkpoint(output_, model_->store, contents_of(record_of(metrics)));
  return true;
}

void Run::count_for_patience(double value) {
  const double reference = state_.extra.number(reference_entry, std::nan("")), least = options_.keep.min_improvement;
  const bool better = metric_.better(metric_.lower_is_better ? value + least : value - least, reference);
  if (better) state_.extra.set(reference_entry, value);
  state_.extra.set(waited_entry, better ? 0 : state_.extra.integer(waited_entry, 0) + 1);
  if (out_of_patience() && state_.step < schedule_.total)
    listener_.say(
        format("no better %s in %ld evaluations: stopped early", metric_.name.c_str(), options_.keep.patience));
}

bool Run::out_of_patience() const {
  return options_.keep.patience > 0 && state_.extra.integer(waited_entry, 0) >= options_.keep.patience;
}

// The weights of this evaluation beside those of the ones before, of which the oldest go.
void Run::keep_last(const Metrics& metrics) {
  const auto file_of = [&](int64_t step) {
    return fs::path(output_).replace_extension(".step-" + std::to_string(step) + ".h5");
  };
  std::istringstream text(state_.extra.at(kept_entry, "").printed());
  std::vector<int64_t> kept(std::istream_iterator<int64_t>(text), {});
  const fs::path file = file_of(state_.step);
  if (is_first_rank()) {
    if (first_step_ == 0) announce_replaced(file, options_.overwrite, Written::checkpoint);
    save_checkpoint(file, model_->store, contents_of(record_of(metrics)));
  }
  kept.push_back(state_.step);
  std::string line = "kept: " + file.string();
  while (std::ssize(kept) > options_.keep.keep_last) {
    std::error_code ignored;
    if (is_first_rank()) fs::remove(file_of(kept.front()), ignored);
    line += "; removed: " + file_of(kept.front()).string();
    kept.erase(kept.begin());
  }
  listener_.say(line);
  std::string steps;
  for (const int64_t step : kept) steps += (steps.empty() ? "" : " ") + std::to_string(step);
  state_.extra.set(kept_entry, steps);
}

// The finished checkpoint again, if an algorithm makes another model of it; the state of the run keeps the shapes that
// it trained.
void Run::finish() {
  for (const Algorithm& algorithm : algorithms_) {
    if (!algorithm.finish) continue;
    const auto model = algorithm.finish(output_);
    if (model == nullptr) continue;
    save_checkpoint(output_, model->store, model->contents());
    listener_.say(format("shrunk: %.1f M parameters are left of %.1f M",
                         static_cast<double>(model->store.count()) * 1e-6,
                         static_cast<double>(model_->store.count()) * 1e-6));
  }
}

}  // namespace espalier
