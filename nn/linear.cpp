// SPDX-License-Identifier: Apache-2.0
#include "nn/linear.h"

namespace espalier {

Linear::Linear(const Scope& scope, int64_t out, int64_t in)
    : weight(scope.parameter("weight", {out, in}, Role::weight)), bias(scope.parameter("bias", {out}, Role::bias)) {}

Var Linear::operator()(const Var& x, const Context& context, DType compute, DType result) const {
  const Var in = input(x, context);
  return ops::linear(in, use(context), compute, result);
}

Var Linear::input(Var x, const Context& context) const {
  for (const auto& transform : input_transforms) x = transform->apply(x, context);
  return x;
}

ops::Affine Linear::use(const Context& context) const {
  const Var w = weight.use(context);
  return {w, bias.use(context), form()};
}

WeightForm Linear::form() const {
  if (auto integers = weight.integers()) return integers;
  return weight.keeps_value() ? prepared_ : WeightForm{};
}

void Linear::prepare(DType compute, Use use) {
  prepared_ = {};
  weight.copy = {};
  if (weight.keeps_value() && weight.integers() != nullptr) return;  // int8 for good, not only in training
  if (use == Use::inference) {
    prepared_ = std::make_shared<const InferenceWeight>(weight.value, compute);
  } else if (compute == DType::bf16) {
    const int64_t in = weight.shape[1];
    const auto packed = std::make_shared<PackedWeight>(weight.shape[0], in);
    packed->pack(weight.value.data<float>());
    prepared_ = std::shared_ptr<const PackedWeight>(packed);
    weight.copy = {.step = PackedWeight::rows_at_once * in,
                   .refresh = [packed, in, value = weight.value](int64_t first, int64_t count) {
                     packed->pack_rows(value.data<float>(), first / in, (first + count) / in);
                   }};
  }
}

}  // namespace espalier
