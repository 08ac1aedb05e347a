// SPDX-License-Identifier: Apache-2.0
// QuantizedWeight: the integers of a linear layer's weight[out, in], packed for int8 products, and how its input
// becomes integers. Held by a WeightTransform; made by compress/, stored by data/models/checkpoint.
#pragma once

#include <cstdint>
#include <optional>

#include "core/products/quant_grid.h"

namespace espalier {

class QuantizedWeight {
 public:
  // q s8[out, in] on a symmetric grid of one scale a row, `bits` 2 to 8. `input` is the grid of the whole x, u8 or s8;
  // without it each row of x gets an affine 8-bit grid of its own when it comes ("dynamic"). Without `products` it is
  // not packed: an embedding table.
  QuantizedWeight(Tensor q, QuantGrid grid, int bits, std::optional<QuantGrid> input, bool products = true);

  int64_t out() const { return q_.shape()[0]; }
  int64_t in() const { return q_.shape()[1]; }
  const Tensor& q() const { return q_; }
  const QuantGrid& grid() const { return grid_; }
  int bits() const { return bits_; }
  const std::optional<QuantGrid>& input() const { return input_; }
  bool products() const { return static_cast<bool>(packed_); }

  const uint32_t* packed() const { return reinterpret_cast<const uint32_t*>(packed_.raw()); }  // gemm_int8's B = w^T
  const int32_t* sums() const { return sums_.data<int32_t>(); }                                // of each row of q

 private:
  Tensor q_;
  QuantGrid grid_;
  int bits_;
  std::optional<QuantGrid> input_;
  Tensor packed_, sums_;
};

// Affine 8-bit grids of the rows of x[rows, cols], f32 or bf16, each from its own smallest and largest value.
QuantGrid dynamic_grid(const Tensor& x);

}  // namespace espalier
