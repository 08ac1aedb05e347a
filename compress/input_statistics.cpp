// SPDX-License-Identifier: Apache-2.0
#include "compress/input_statistics.h"

#include <algorithm>
#include <cmath>

#include "compress/features.h"
#include "core/check.h"

namespace espalier {

struct InputStatistics::Watch : WeightTransform {
  explicit Watch(int64_t in) : sum(Tensor::zeros({in}, DType::f64)), largest(Tensor::zeros({in}, DType::f64)) {}

  Var apply(const Var& x, const Context& context) override {
    if (!context.watched()) return x;  // an evaluation in between is not looked at
    rows += x.value.rows();
    for_features("input statistics", x.value,
                 [s = sum.data<double>(), l = largest.data<double>()](int64_t i, double v) {
                   s[i] += v;
                   l[i] = std::max(l[i], std::abs(v));
                 });
    return x;
  }

  int64_t rows = 0;
  Tensor sum, largest;
};

InputStatistics::~InputStatistics() = default;

void InputStatistics::attach(Bert& model, ParameterStore& /*store*/) {
  for (EncoderLayer& layer : model.layers())
    for (const auto& linears : layer.by_input()) {
      const auto watch = std::make_shared<Watch>(linears.front()->weight.shape[1]);
      watched_.push_back(linears.front());
      watched_.back()->input_transforms.push_back(watch);
      for (const Linear* linear : linears) watches_[linear->weight.name] = watch;
    }
}

void InputStatistics::forget() {
  for (const auto& [name, watch] : watches_) {
    watch->rows = 0;
    watch->sum.fill_zero();
    watch->largest.fill_zero();
  }
}

void InputStatistics::detach() {
  for (Linear* linear : watched_)
    std::erase_if(linear->input_transforms,
                  [](const auto& transform) { return dynamic_cast<const Watch*>(transform.get()) != nullptr; });
  watched_.clear();
}

const InputStatistics::Watch& InputStatistics::seen(const Parameter& weight) const {
  const auto found = watches_.find(weight.name);
  CHECK(found != watches_.end() && found->second->rows > 0, "input statistics: no input of ", weight.name, " was seen");
  return *found->second;
}

Tensor InputStatistics::mean(const Parameter& weight) const {
  const Watch& watch = seen(weight);
  Tensor mean = watch.sum.clone();
  for (double& v : mean.span<double>()) v /= static_cast<double>(watch.rows);
  return mean;
}

Tensor InputStatistics::largest(const Parameter& weight) const { return seen(weight).largest; }

}  // namespace espalier
