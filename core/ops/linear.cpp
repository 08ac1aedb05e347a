// SPDX-License-Identifier: Apache-2.0
// y[T, out] = x[T, in] w[out, in]^T + b[out]: checks the shapes and chooses the precision. The op itself is in
// linear_f32.cpp, linear_bf16.cpp and linear_int8.cpp.
#include <algorithm>

#include "core/ops.h"
#include "core/ops/linear_parts.h"

namespace espalier::ops {

LinearParts::LinearParts(const Var& x, std::span<const Affine> parts) {
  CHECK(!parts.empty() && x.shape().rank() == 2, "linear: x", x.shape(),
        " is expected to be [T, in], with at least one weight");
  rows = x.value.rows();
  in = x.value.cols();
  inputs = {&x};
  for (const Affine& part : parts) {
    const Shape w = part.w.shape();
    CHECK(w.rank() == 2 && w[1] == in, "linear: x", x.shape(), " and w", w, " differ in their last dimension");
    CHECK(part.b.shape() == Shape{w[0]}, "linear: w", w, " needs a bias of shape ", Shape{w[0]}, ", not ",
          part.b.shape());
    inputs.push_back(&part.w);
    inputs.push_back(&part.b);
    weights.push_back(part.w.value);
    firsts.push_back(width);
    width += w[0];
  }
}

std::shared_ptr<const InferenceWeight> inference_form(const LinearParts& p, const Affine& part) {
  const bool taped = std::ranges::any_of(p.inputs, [](const Var* v) { return v->tape != nullptr; });
  return taped ? nullptr : as<InferenceWeight>(part.form);
}

Var linear(const Var& x, std::span<const Affine> parts, DType compute, DType result) {
  if (!parts.empty() && as<QuantizedWeight>(parts.front().form)) return linear_integers(x, parts, compute);
  if (compute == DType::bf16) return linear_bf16(x, parts, result);
  return dispatch_real("linear", x.dtype(), [&](auto zero) { return linear_real<decltype(zero)>(x, parts); });
}

Var linear(const Var& x, const Affine& part, DType compute, DType result) {
  return linear(x, std::span<const Affine>(&part, 1), compute, result);
}
Var linear(const Var& x, const Var& w, const Var& b) { return linear(x, Affine{w, b}); }

}  // namespace espalier::ops
