// SPDX-License-Identifier: Apache-2.0
// The two layers that BERT is made of: a linear map and a layer normalisation. Each holds its parameters by reference;
// the store owns them.
#pragma once

#include "core/ops.h"
#include "nn/parameter.h"

namespace espalier {

// y[T, out] = x[T, in] w^T + b with parameters weight[out, in] and bias[out].
struct Linear {
  Linear(const Scope& scope, int64_t out, int64_t in)
      : weight(scope.parameter("weight", {out, in}, Role::weight)), bias(scope.parameter("bias", {out}, Role::bias)) {}
  // What the product reads. To be called behind input(): integers of the weight go with those of the input.
  ops::Affine use(const Context& context) const {
    ops::Affine affine{weight.use(context), bias.use(context), weight.reads_packed() ? weight.packed : nullptr,
                       weight.quantized, weight.transforms.empty() ? weight.inference : nullptr};
    if (!weight.transforms.empty())
      if (auto integers = weight.transforms.back()->integers()) affine.quantized = std::move(integers);
    return affine;
  }
  Var operator()(const Var& x, const Context& context, DType compute = DType::f32, DType result = DType::bf16) const {
    const Var in = input(x, context);
    return ops::linear(in, use(context), compute, result);
  }

  // x[T, in] as the product sees it, through the input's transforms.
  Var input(Var x, const Context& context) const {
    for (const auto& transform : weight.input_transforms) x = transform->apply(x, context);
    return x;
  }

  // Makes the bf16 copy that products with compute = bf16 read, from the weight as it is now. The optimizer keeps it up
  // to date.
  void pack() const {
    if (!weight.packed) weight.packed = std::make_shared<PackedWeight>(weight.shape[0], weight.shape[1]);
    weight.packed->pack(weight.value.data<float>());
  }

  Parameter& weight;
  Parameter& bias;
};

// Parameters weight[H] and bias[H], named as Hugging Face's LayerNorm.
struct LayerNorm {
  LayerNorm(const Scope& scope, int64_t hidden)
      : weight(scope.parameter("weight", {hidden}, Role::norm_weight)),
        bias(scope.parameter("bias", {hidden}, Role::norm_bias)) {}
  Var after_residual(const Var& x, const Var& residual, float eps, const Dropout& dropout,
                     const Context& context) const {
    return ops::dropout_add_layer_norm(x, residual, weight.use(context), bias.use(context), eps, dropout);
  }

  Parameter& weight;
  Parameter& bias;
};

}  // namespace espalier
