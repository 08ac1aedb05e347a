// SPDX-License-Identifier: Apache-2.0
// LayerNorm: layer normalisation behind a residual connection. Its parameters are the store's.
#pragma once

#include "core/ops.h"
#include "nn/parameter.h"

namespace espalier {

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
