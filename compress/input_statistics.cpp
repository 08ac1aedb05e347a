// SPDX-License-Identifier: Apache-2.0
#include "compress/input_statistics.h"

#include <algorithm>
#include <cmath>

#include "compress/features.h"
#include "core/check.h"

namespace espalier {

struct InputStatistics::Watch : WeightTransform {
  explicit Watch(int64_t in) : sums(in + 1), largest(static_cast<size_t>(in)), start(largest) {}

  Var apply(const Var& x, const Context& context) override {
    if (!context.watched()) return x;  // an evaluation in between is not looked at
    sums.data()[x.value.cols()] += static_cast<double>(x.value.rows());
    for_features("input statistics", x.value, [s = sums.data(), l = largest.data()](int64_t i, double v) {
      s[i] += v;
      l[i] = std::max(l[i], std::abs(v));
    });
    return x;
  }

  double rows() const { return sums.values().back(); }

  LaneSums sums;                       // of the features; behind them, the number of rows
  std::vector<double> largest, start;  // start: largest before the step
};

InputStatistics::~InputStatistics() = default;

void InputStatistics::attach(Bert& model, ParameterStore& /*store*/) {
  for (EncoderLayer& layer : model.layers())
    for (const auto& linears : layer.by_input()) {
      const auto watch = std::make_shared<Watch>(linears.front()->weight.shape[1]);
      watched_.emplace_back(linears.front(), watch);
      linears.front()->input_transforms.push_back(watch);
      for (const Linear* linear : linears) watches_[linear->weight.name] = watch;
    }
}

Observed InputStatistics::take_observed() {
  std::vector<Observed> parts;
  for (const auto& [linear, watch] : watched_) {
    parts.push_back(watch->sums.take());
    parts.push_back(watch->largest);
    watch->largest = watch->start;
  }
  return joined(parts);
}

void InputStatistics::absorb(std::span<const Observed> lanes) {
  for_parts(lanes, [&](size_t i, std::span<const Observed> part) {
    Watch& watch = *watched_[i / 2].second;
    if (i % 2 == 0) return watch.sums.absorb(part);
    for (const Observed& lane : part)
      std::ranges::transform(lane, watch.largest, watch.largest.begin(),
                             [](double a, double b) { return std::max(a, b); });
    watch.start = watch.largest;
  });
}

void InputStatistics::forget() {
  for (const auto& [name, watch] : watches_) {
    watch->sums.set(std::vector<double>(watch->sums.values().size()));
    std::ranges::fill(watch->largest, 0.0);
    watch->start = watch->largest;
  }
}

void InputStatistics::detach() {
  for (const auto& [linear, watch] : watched_)
    std::erase(linear->input_transforms, std::static_pointer_cast<WeightTransform>(watch));
  watched_.clear();
}

const InputStatistics::Watch& InputStatistics::seen(const Parameter& weight) const {
  const auto found = watches_.find(weight.name);
  CHECK(found != watches_.end() && found->second->rows() > 0, "input statistics: no input of ", weight.name,
        " was seen");
  return *found->second;
}

Tensor InputStatistics::mean(const Parameter& weight) const {
  const Watch& watch = seen(weight);
  Tensor mean = Tensor::of<double>({weight.shape.cols()}, std::span(watch.sums.values()).first(watch.largest.size()));
  for (double& v : mean.span<double>()) v /= watch.rows();
  return mean;
}

Tensor InputStatistics::largest(const Parameter& weight) const {
  const std::vector<double>& largest = seen(weight).largest;
  return Tensor::of<double>({std::ssize(largest)}, largest);
}

}  // namespace espalier
