// SPDX-License-Identifier: Apache-2.0
// The activations of core/activation.h and their slopes, elementwise. GELU in f32: error below 2e-7 absolute. None is
// the identity.
#pragma once

#include <cstdint>

#include "core/activation.h"
#include "core/dtype.h"

namespace espalier::kernels {

void activation_forward(Activation activation, int64_t n, const float* x, float* y) noexcept;
void activation_forward(Activation activation, int64_t n, const double* x, double* y) noexcept;
void activation_forward(Activation activation, int64_t n, const Bf16* x, Bf16* y) noexcept;

// Of x[rows, n], in place; stride: elements from row to row.
void activation_rows(Activation activation, int64_t rows, int64_t n, float* x, int64_t stride) noexcept;
void activation_rows(Activation activation, int64_t rows, int64_t n, Bf16* x, int64_t stride) noexcept;

// gx = gy * slope(x), or added to gx when accumulate. ReLU's slope at 0 is 0.
void activation_backward(Activation activation, int64_t n, const float* x, const float* gy, bool accumulate,
                         float* gx) noexcept;
void activation_backward(Activation activation, int64_t n, const double* x, const double* gy, bool accumulate,
                         double* gx) noexcept;
void activation_backward(Activation activation, int64_t n, const Bf16* x, const Bf16* gy, bool accumulate,
                         Bf16* gx) noexcept;

}  // namespace espalier::kernels
