// SPDX-License-Identifier: Apache-2.0
// Loops of quantization over one row. T: float, double or Bf16.
#pragma once

#include <cstdint>

#include "core/dtype.h"

namespace espalier::kernels {

// As QuantGrid, of one row.
struct GridRow {
  float scale;
  int32_t zero_point, low, high;

  bool operator==(const GridRow&) const = default;
};

// y = (clamp(round(x / scale) + zero_point) - zero_point) scale.
void fake_quant(int64_t n, const float* x, const GridRow& grid, float* y) noexcept;
void fake_quant(int64_t n, const double* x, const GridRow& grid, double* y) noexcept;
void fake_quant(int64_t n, const Bf16* x, const GridRow& grid, Bf16* y) noexcept;

// gx (+)= gy where round(x / scale) + zero_point is on the grid without clamping, else 0.
void fake_quant_gradient(int64_t n, const float* x, const GridRow& grid, const float* gy, bool accumulate,
                         float* gx) noexcept;
void fake_quant_gradient(int64_t n, const double* x, const GridRow& grid, const double* gy, bool accumulate,
                         double* gx) noexcept;
void fake_quant_gradient(int64_t n, const Bf16* x, const GridRow& grid, const Bf16* gy, bool accumulate,
                         Bf16* gx) noexcept;

// The integers themselves, as bytes.
void quantize(int64_t n, const float* x, const GridRow& grid, uint8_t* q) noexcept;
void quantize(int64_t n, const Bf16* x, const GridRow& grid, uint8_t* q) noexcept;

// x[i] = (q[i] - zero_point) scale.
void dequantize(int64_t n, const int8_t* q, const GridRow& grid, float* x) noexcept;
void dequantize(int64_t n, const uint8_t* q, const GridRow& grid, float* x) noexcept;

// Smallest and largest of x; n > 0. A NaN makes `most` or `least` a NaN.
void range(int64_t n, const float* x, float& least, float& most) noexcept;
void range(int64_t n, const Bf16* x, float& least, float& most) noexcept;

// bin[i] = floor((x[i] - least) * per_unit), from 0 to last.
void bins(int64_t n, const float* x, float least, float per_unit, int32_t last, int32_t* bin) noexcept;
void bins(int64_t n, const Bf16* x, float least, float per_unit, int32_t last, int32_t* bin) noexcept;

}  // namespace espalier::kernels
