// SPDX-License-Identifier: Apache-2.0
// A few real steps and a part of an evaluation, on batches of all lengths: what a run would need.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/training/run.h"
#include "apps/training/signals.h"

namespace espalier {
namespace {

constexpr int64_t lengths = 8;   // batches from short to long that a round measures
constexpr double enough = 1;     // seconds of steps, where steps are short
constexpr int least_rounds = 2;  // memory is at its peak when training and evaluation have taken turns

// The rows from which a window of an epoch is made: how many tokens they have.
std::vector<int64_t> tokens_of_windows(const Loader& loader) {
  const Epoch epoch = loader.epoch(0);
  const int64_t sentences = loader.options().batch_size * loader.options().accumulate;
  std::vector<int64_t> tokens(static_cast<size_t>(loader.windows()));
  for (int64_t i = 0; i < std::ssize(epoch.order()); ++i)
    tokens[static_cast<size_t>(i / sentences)] += loader.data().length(epoch.order()[static_cast<size_t>(i)]);
  return tokens;
}

// `count` of the places 0 … values.size() - 1, evenly spaced when these are sorted by their values, the largest first;
// other ones for another shift in [0, 1).
std::vector<int64_t> spread(const std::vector<int64_t>& values, int64_t count, double shift = 0.5) {
  std::vector<int64_t> places(values.size());
  std::iota(places.begin(), places.end(), 0);
  std::ranges::stable_sort(
      places, [&](int64_t a, int64_t b) { return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)]; });
  const int64_t taken = std::min(std::ssize(values), count);
  const double distance = static_cast<double>(values.size()) / static_cast<double>(taken);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < taken; ++i)
    chosen.push_back(places[static_cast<size_t>((static_cast<double>(i) + shift) * distance)]);
  return chosen;
}

}  // namespace

Forecast Run::dry_run() {
  Forecast forecast{.groups = parameter_groups(model_->store),
                    .learning_rate = options_.learning.learning_rate,
                    .weight_decay = options_.learning.weight_decay,
                    .train_sentences = train_data_.sentences(),
                    .train_tokens = train_data_.tokens(),
                    .dev_sentences = dev_data_.sentences(),
                    .dev_tokens = dev_data_.tokens(),
                    .steps = schedule_.total,
                    .evaluations = evaluations(),
                    .start_seconds = watch_.seconds()};
  const std::vector<int64_t> tokens = tokens_of_windows(*loader_);
  const Epoch epoch = loader_->epoch(0);
  const auto longest = std::ranges::max_element(tokens) - tokens.begin();
  for (int i = 0; i < 2; ++i) take_measured_step(epoch, longest, 0);
  double seconds = 0, shift = 0.5;
  int64_t measured_tokens = 0;
  for (int round = 0; round < least_rounds || seconds < enough; ++round, shift = std::fmod(shift + 0.618, 1)) {
    const std::vector<int64_t> windows = spread(tokens, lengths, shift);
    for (int64_t i = 0; i < std::ssize(windows); ++i) {
      // Steps from all over the run: what compressors do changes with them.
      seconds += take_measured_step(epoch, windows[static_cast<size_t>(i)], i * schedule_.total / std::ssize(windows));
      measured_tokens += tokens[static_cast<size_t>(windows[static_cast<size_t>(i)])];
    }
    if (round < least_rounds) forecast.evaluation_seconds = seconds_of_evaluation();
  }
  // Times are nearly proportional to tokens: what the measured batches have more or less than the average is made up
  // for.
  forecast.step_seconds = seconds / static_cast<double>(measured_tokens) * static_cast<double>(train_data_.tokens()) /
                          static_cast<double>(std::ssize(tokens));
  return forecast;
}

double Run::take_measured_step(const Epoch& epoch, int64_t window, int64_t step) {
  throw_if_stopped();
  state_.step = step;
  const Stopwatch watch;
  take_step(*model_, epoch.window(window), compressors_, step_options());
  if (ema_) ema_->update(step + 1);
  return watch.seconds();
}

double Run::seconds_of_evaluation() {
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < dev_data_.sentences(); ++i) sizes.push_back(dev_data_.length(i));
  TokenizedDataset part;
  append(part, dev_data_, spread(sizes, lengths * options_.learning.batch_size));
  const Ema::InUse average(ema_.get());
  compressors_.before_evaluation();
  const double seconds = evaluate(*model_->bert, part, options_.learning.batch_size).seconds;
  compressors_.after_evaluation();
  return seconds / static_cast<double>(part.tokens()) * static_cast<double>(dev_data_.tokens());
}

// As next_evaluation() has them: at the end of each epoch, of the run, and every so many steps.
int64_t Run::evaluations() const {
  const int64_t total = schedule_.total, windows = loader_->windows(), every = options_.keep.evaluate_every;
  int64_t count = (total + windows - 1) / windows;
  if (every == 0) return count;
  count += total / every;
  for (int64_t step = every; step <= total; step += every)
    if (step % windows == 0 || step == total) --count;
  return count;
}

}  // namespace espalier
