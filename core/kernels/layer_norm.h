// SPDX-License-Identifier: Apache-2.0
// Layer normalisation over the last dimension (Ba et al. 2016, arXiv:1607.06450), fused with dropout and the residual
// sum that precede it in BERT:
//   z = residual + dropout(x),  xhat = (z - mean z) / sqrt(var z + eps),  y = gamma xhat + beta.      T: float or
//   double; X: T or Bf16.
#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/rng.h"

namespace espalier::kernels {

template <class T, class X>
struct LayerNormRows {
  int64_t cols = 0;
  const X* x = nullptr;         // [rows, cols]; null: z = residual
  const T* residual = nullptr;  // [rows, cols]
  const T* gamma = nullptr;     // [cols]
  const T* beta = nullptr;      // [cols]
  T eps = 0;
  Dropout dropout;    // of x
  T* y = nullptr;     // [rows, cols]
  T* xhat = nullptr;  // [rows, cols], for the backward pass; null: not kept
  T* rstd = nullptr;  // [rows]; null with xhat
};

template <class T, class X>
struct LayerNormGradRows {
  int64_t cols = 0;
  const T* gy = nullptr;     // [rows, cols]
  const T* xhat = nullptr;   // [rows, cols]
  const T* rstd = nullptr;   // [rows]
  const T* gamma = nullptr;  // [cols]
  Dropout dropout;
  T* g_residual = nullptr;  // [rows, cols]; null: not wanted
  bool accumulate_residual = false;
  X* g_x = nullptr;  // [rows, cols], written after g_residual and may be the same; null: not wanted
  bool accumulate_x = false;
};

// Rows begin … end.
void layer_norm_forward(const LayerNormRows<float, float>& a, int64_t begin, int64_t end) noexcept;
void layer_norm_forward(const LayerNormRows<float, Bf16>& a, int64_t begin, int64_t end) noexcept;
void layer_norm_forward(const LayerNormRows<double, double>& a, int64_t begin, int64_t end) noexcept;

// Also adds this range's sums of gy xhat and of gy to g_gamma and g_beta ([cols] each).
void layer_norm_backward(const LayerNormGradRows<float, float>& a, int64_t begin, int64_t end, float* g_gamma,
                         float* g_beta) noexcept;
void layer_norm_backward(const LayerNormGradRows<float, Bf16>& a, int64_t begin, int64_t end, float* g_gamma,
                         float* g_beta) noexcept;
void layer_norm_backward(const LayerNormGradRows<double, double>& a, int64_t begin, int64_t end, double* g_gamma,
                         double* g_beta) noexcept;

}  // namespace espalier::kernels
