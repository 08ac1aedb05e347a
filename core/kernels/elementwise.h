// SPDX-License-Identifier: Apache-2.0
// Plain loops over arrays: type conversion, sums, dropout multipliers. T: float or double, or Bf16 where listed.
#pragma once

#include <cstdint>

#include "core/dtype.h"
#include "core/rng.h"

namespace espalier::kernels {

void convert(int64_t n, const float* x, Bf16* y) noexcept;  // round to nearest even
void convert(int64_t n, const Bf16* x, float* y) noexcept;

void add(int64_t n, const float* x, float* y) noexcept;  // y += x
void add(int64_t n, const double* x, double* y) noexcept;

// y[c] (+)= sum over rows of x[row * stride + c], in row order, for c < cols.
void column_sums(int64_t rows, int64_t cols, int64_t stride, const float* x, bool accumulate, float* y) noexcept;
void column_sums(int64_t rows, int64_t cols, int64_t stride, const double* x, bool accumulate, double* y) noexcept;
void column_sums(int64_t rows, int64_t cols, int64_t stride, const Bf16* x, bool accumulate, float* y) noexcept;

double sum_of_squares(int64_t n, const float* x) noexcept;  // partial sums in f64

// y[row, c] (+)= x[row, c] * (0 or scale) for rows begin … end of a [rows, cols] array.
void dropout_rows(const Dropout& dropout, int64_t cols, int64_t begin, int64_t end, const float* x, bool accumulate,
                  float* y) noexcept;
void dropout_rows(const Dropout& dropout, int64_t cols, int64_t begin, int64_t end, const double* x, bool accumulate,
                  double* y) noexcept;

}  // namespace espalier::kernels
