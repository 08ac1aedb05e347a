// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/fake_quant.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "compress/features.h"
#include "core/check.h"
#include "core/ops.h"

namespace espalier {

std::shared_ptr<const QuantizedWeight> WeightFakeQuant::quantized(const Tensor& w) const {
  const auto with = [&](const QuantGrid& grid) { return std::pair{quantize(w, grid), grid}; };
  const auto [q, grid] = scales_ == nullptr ? quantize_rows(w, bits_) : with(learned_grid());
  return std::make_shared<QuantizedWeight>(q, grid, bits_, input_ != nullptr ? input_->grid() : std::nullopt,
                                           input_ != nullptr);
}

Var WeightFakeQuant::apply(const Var& w, const Context& context) {
  const bool product = input_ != nullptr;  // reads the integers, so that nobody sees the value
  if (held_ && product && integers_ != nullptr) return w;
  integers_ = on ? quantized(w.value) : nullptr;
  if (!on || (held_ && product)) return w;
  if (scales_ != nullptr) return ops::fake_quant(w, scales_->use(context), -highest(), highest());
  // A row's own range covers it: nothing is clamped, so the straight-through gradient is the gradient itself.
  return {dequantize(integers_->q(), integers_->grid()), w.tape, w.id};
}

QuantGrid WeightFakeQuant::learned_grid() const {
  return {scales_->value.clone(), Tensor::zeros(scales_->shape, DType::i32), -highest(), highest()};
}

float first_scale(const Tensor& x, int bits) {
  const double high = (1 << (bits - 1)) - 1;
  std::vector<double> sums(static_cast<size_t>(x.cols()));
  for_features("learned scale", x,
               [&](int64_t feature, double v) { sums[static_cast<size_t>(feature)] += std::abs(v); });
  const double sum = std::accumulate(sums.begin(), sums.end(), 0.0);
  const auto s = static_cast<float>(2 * sum / static_cast<double>(x.size()) / std::sqrt(high));
  CHECK(std::isfinite(s), "quantization: the activations hold a NaN or an infinity; has the training diverged?");
  return s > 0 ? s : 1;
}

Var InputFakeQuant::apply(const Var& x, const Context& context) {
  if (observing && observer_ && context.watched()) observer_->observe(x.value);
  if (scale_ == nullptr || !on) return x;
  float& scale = scale_->value.data<float>()[0];
  if (scale == 0 && context.watched()) {  // the first batch that is rounded
    scale = first_scale(x.value, 8);
    first_ = true;
  }
  return context.tape != nullptr ? ops::fake_quant(x, scale_->use(context), -127, 127) : x;
}

Observed InputFakeQuant::take_observed() {
  if (observer_) return observer_->take_observed();
  if (!first_) return {};
  first_ = false;
  const float found = std::exchange(scale_->value.data<float>()[0], 0.0F);
  return {static_cast<double>(found)};
}

void InputFakeQuant::absorb(std::span<const Observed> lanes) {
  if (observer_) return observer_->absorb(lanes);
  if (!lanes.front().empty()) scale_->value.data<float>()[0] = static_cast<float>(lanes.front()[0]);
}

std::optional<QuantGrid> InputFakeQuant::grid() const {
  if (scale_ != nullptr) {
    CHECK(scale_->value.data<float>()[0] > 0, "quantization: ", scale_->name, " has seen no input yet");
    return QuantGrid{scale_->value.clone(), Tensor::zeros({1}, DType::i32), -127, 127};
  }
  if (!observer_) return std::nullopt;
  const Range range = observer_->range();
  CHECK(range.least <= range.most, "quantization: no input was observed; calibrate first");
  if (symmetric_) return symmetric_grid(std::max(std::abs(range.least), std::abs(range.most)), 8);
  return affine_grid(range.least, range.most, 8);
}

}  // namespace espalier
