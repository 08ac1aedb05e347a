// SPDX-License-Identifier: Apache-2.0
// GELU with the exact error function, y = x Phi(x) (Hendrycks & Gimpel 2016, arXiv:1606.08415). f32 error below 2e-7
// absolute.
#pragma once

#include <cstdint>

#include "core/dtype.h"

namespace espalier::kernels {

void gelu_forward(int64_t n, const float* x, float* y) noexcept;
void gelu_forward(int64_t n, const double* x, double* y) noexcept;
void gelu_forward(int64_t n, const Bf16* x, Bf16* y) noexcept;

// Of x[rows, n], in place; stride: elements from row to row.
void gelu_rows(int64_t rows, int64_t n, float* x, int64_t stride) noexcept;
void gelu_rows(int64_t rows, int64_t n, Bf16* x, int64_t stride) noexcept;

// gx = gy * gelu'(x), or added to gx when accumulate.
void gelu_backward(int64_t n, const float* x, const float* gy, bool accumulate, float* gx) noexcept;
void gelu_backward(int64_t n, const double* x, const double* gy, bool accumulate, double* gx) noexcept;
void gelu_backward(int64_t n, const Bf16* x, const Bf16* gy, bool accumulate, Bf16* gx) noexcept;

}  // namespace espalier::kernels
