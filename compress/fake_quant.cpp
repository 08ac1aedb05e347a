// SPDX-License-Identifier: Apache-2.0
#include "compress/fake_quant.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/ops.h"

namespace espalier {

std::shared_ptr<const QuantizedWeight> WeightFakeQuant::quantized(const Tensor& w) const {
  const QuantGrid g = grid(w);
  return std::make_shared<QuantizedWeight>(quantize(w, g), g, bits_, input_ != nullptr ? input_->grid() : std::nullopt,
                                           input_ != nullptr);
}

Var WeightFakeQuant::apply(const Var& w, const Context& context) {
  if (held_ && integers_ != nullptr) return w;
  integers_ = on && input_ != nullptr ? quantized(w.value) : nullptr;
  if (!on || (held_ && integers_ != nullptr)) return w;
  if (scales_ != nullptr) {
    const int32_t high = (1 << (bits_ - 1)) - 1;
    return ops::fake_quant(w, scales_->use(context), -high, high);
  }
  return ops::fake_quant(w, symmetric_row_grid(w.value, bits_));
}

QuantGrid WeightFakeQuant::grid(const Tensor& w) const {
  if (scales_ == nullptr) return symmetric_row_grid(w, bits_);
  const int32_t high = (1 << (bits_ - 1)) - 1;
  return {scales_->value.clone(), Tensor::zeros(scales_->shape, DType::i32), -high, high};
}

Var InputFakeQuant::apply(const Var& x, const Context& context) {
  if (observing && observer_ && context.tape != nullptr) observer_->observe(x.value);
  if (scale_ != nullptr && scale_->value.data<float>()[0] == 0 && context.tape != nullptr) {  // the first batch
    const Range range = observer_->range();
    const float most = std::max(std::abs(range.least), std::abs(range.most));
    scale_->value.copy_from(symmetric_grid(std::isfinite(most) ? most : 1, 8).scale);
  }
  return on && scale_ != nullptr && context.tape != nullptr ? ops::fake_quant(x, scale_->use(context), -127, 127) : x;
}

std::optional<QuantGrid> InputFakeQuant::grid() const {
  if (scale_ != nullptr) return QuantGrid{scale_->value.clone(), Tensor::zeros({1}, DType::i32), -127, 127};
  if (!observer_) return std::nullopt;
  const Range range = observer_->range();
  CHECK(range.least <= range.most, "quantization: no input was observed; calibrate first");
  return affine_grid(range.least, range.most, 8);
}

}  // namespace espalier
