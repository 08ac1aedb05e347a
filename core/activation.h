// SPDX-License-Identifier: Apache-2.0
// Activation: the function between the two products of a feed-forward layer. Used from the kernels up to config.json.
#pragma once

namespace espalier {

enum class Activation {
  none,      // y = x
  gelu,      // x Phi(x), with the exact error function (Hendrycks & Gimpel 2016, arXiv:1606.08415)
  relu,      // max(x, 0)
  gelu_new,  // 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))): the same paper's approximation, as GPT-2 has it
  silu       // x / (1 + exp(-x)) (Elfwing et al. 2018, arXiv:1702.03118)
};

constexpr const char* name_of(Activation activation) {
  constexpr const char* names[] = {"none", "gelu", "relu", "gelu_new", "silu"};
  return names[static_cast<int>(activation)];
}

}  // namespace espalier
