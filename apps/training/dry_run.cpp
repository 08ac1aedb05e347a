// SPDX-License-Identifier: Apache-2.0
// A few real steps and a part of an evaluation, on batches of all lengths: what a run would need.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "apps/training/run.h"
#include "apps/training/signals.h"

namespace espalier {
namespace {

constexpr int64_t lengths = 12;  // batches from short to long that are measured
constexpr double enough = 4;     // seconds of steps, where steps are short

// The rows from which a window of an epoch is made: how many tokens they have.
std::vector<int64_t> tokens_of_windows(const Loader& loader) {
  const Epoch epoch = loader.epoch(0);
  const int64_t sentences = loader.options().batch_size * loader.options().accumulate;
  std::vector<int64_t> tokens(static_cast<size_t>(loader.windows()));
  for (int64_t i = 0; i < std::ssize(epoch.order()); ++i)
    tokens[static_cast<size_t>(i / sentences)] += loader.data().length(epoch.order()[static_cast<size_t>(i)]);
  return tokens;
}

// `count` of the places 0 … values.size() - 1, evenly spaced when these are sorted by their values, the largest first.
std::vector<int64_t> spread(const std::vector<int64_t>& values, int64_t count) {
  std::vector<int64_t> places(values.size());
  std::iota(places.begin(), places.end(), 0);
  std::ranges::stable_sort(
      places, [&](int64_t a, int64_t b) { return values[static_cast<size_t>(a)] > values[static_cast<size_t>(b)]; });
  const int64_t all = std::ssize(values), taken = std::min(all, count);
  std::vector<int64_t> chosen;
  for (int64_t i = 0; i < taken; ++i) chosen.push_back(places[static_cast<size_t>((2 * i + 1) * all / (2 * taken))]);
  return chosen;
}

// The sentences of these places.
TokenizedDataset part_of(const TokenizedDataset& data, const std::vector<int64_t>& rows) {
  TokenizedDataset part;
  append(part, data, rows);
  return part;
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
  forecast.step_seconds = seconds_of_step();
  forecast.evaluation_seconds = seconds_of_evaluation();
  return forecast;
}

// Times are nearly proportional to tokens: what the measured batches have more or less than the average is made up for.
double Run::seconds_of_step() {
  const std::vector<int64_t> tokens = tokens_of_windows(*loader_);
  const auto longest = std::ranges::max_element(tokens) - tokens.begin();
  const std::vector<int64_t> windows = spread(tokens, lengths);
  const Epoch epoch = loader_->epoch(0);
  double seconds = 0;
  int64_t measured_tokens = 0, taken = 0;
  const auto take = [&](int64_t place) {
    const Stopwatch watch;
    // Steps from all over the run: what compressors do changes with them.
    state_.step = taken % std::ssize(windows) * schedule_.total / std::ssize(windows);
    take_step(*model_, epoch.window(place), compressors_, step_options());
    if (ema_) ema_->update(state_.step + 1);
    throw_if_stopped();
    return watch.seconds();
  };
  for (int i = 0; i < 2; ++i) take(longest);  // memory is there then, and the peak has been reached
  do {
    for (const int64_t place : windows) {
      seconds += take(place);
      measured_tokens += tokens[static_cast<size_t>(place)];
      listener_.progress(++taken, 0, "measuring steps");
    }
  } while (seconds < enough);
  const double all_tokens = static_cast<double>(train_data_.tokens()) / static_cast<double>(std::ssize(tokens));
  return seconds / static_cast<double>(measured_tokens) * all_tokens;
}

double Run::seconds_of_evaluation() {
  std::vector<int64_t> sizes;
  for (int64_t i = 0; i < dev_data_.sentences(); ++i) sizes.push_back(dev_data_.length(i));
  const TokenizedDataset part = part_of(dev_data_, spread(sizes, lengths * options_.learning.batch_size));
  const Ema::InUse average(ema_.get());
  compressors_.before_evaluation();
  double seconds = 0;
  for (int i = 0; i < 2; ++i) seconds = evaluate(*model_->bert, part, options_.learning.batch_size).seconds;
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
