// SPDX-License-Identifier: Apache-2.0
// QuantGrid: the integers that stand for real numbers, and how (Jacob et al. 2018, arXiv:1712.05877; Krishnamoorthi
// 2018, arXiv:1806.08342). Used by fake-quant ops, int8 products and the quantizers in compress/.
#pragma once

#include <cstdint>
#include <utility>

#include "core/tensor.h"

namespace espalier {

namespace kernels {
struct GridRow;
}

// x stands as q = clamp(round(x / scale) + zero_point, low, high), ties to even, and is read as (q - zero_point) scale.
// One scale and zero point for a whole tensor, or one for each row of a matrix ("per channel" of a weight[out, in]).
struct QuantGrid {
  Tensor scale;       // f32[1] or [rows], positive
  Tensor zero_point;  // i32 of the same shape, from low to high
  int32_t low = -127, high = 127;

  int64_t rows() const { return scale.size(); }
};

kernels::GridRow row_of(const QuantGrid& grid, int64_t row);  // what the kernels take; a single scale is every row's

// Grid of 2^bits integers from 0 on that covers [least, most] and zero, which is a point of it. bits from 2 to 8. An
// empty range (least == most == 0) gives scale 1. Throws for NaN, infinities and least > most.
QuantGrid affine_grid(float least, float most, int bits);
kernels::GridRow affine_row(float least, float most, int bits);  // the same, for kernels

// The grid moved up by 128 where it is signed: products read bytes from 0 on.
QuantGrid as_bytes(QuantGrid grid);

// Grid of the integers -(2^(bits-1) - 1) … 2^(bits-1) - 1 that covers [-most, most], zero point 0.
QuantGrid symmetric_grid(float most, int bits);

// The same for each row of w[rows, cols], whatever its largest |w|; a row of zeros gets scale 1. Throws for NaN and
// infinities, naming the row.
QuantGrid symmetric_row_grid(const Tensor& w, int bits);

// The integers s8[rows, cols] of w on that grid of its own, and the grid.
std::pair<Tensor, QuantGrid> quantize_rows(const Tensor& w, int bits);

// Integers of x[rows, cols] (f32 or bf16) on the grid: s8 where low is negative, else u8. And back.
Tensor quantize(const Tensor& x, const QuantGrid& grid);
Tensor dequantize(const Tensor& q, const QuantGrid& grid);

}  // namespace espalier
