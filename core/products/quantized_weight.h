// SPDX-License-Identifier: Apache-2.0
// QuantizedWeight: the integers of a linear layer's weight[out, in], packed for int8 products, and how its input
// becomes integers. Held by a WeightTransform; made by compress/, stored by data/models and data/edge.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/kernels/gemm_int8.h"
#include "core/kernels/int8_output.h"
#include "core/products/quant_grid.h"

namespace espalier {

// The integers of a weight[out, in] in panels of 32 outputs, as gemm_int8 reads them, without the quads that are zero
// in a whole panel.
struct PackedQuads {
  Tensor values;  // i32[left, 32]: quads
  Tensor index;   // i32[left]: the place of each in x, ascending within a panel
  Tensor firsts;  // i32[panels + 1]: where each panel begins, and the end
};

class QuantizedWeight {
 public:
  // q s8[out, in] on a symmetric grid of one scale a row, `bits` 2 to 8. `input` is the grid of the whole x, u8 or s8;
  // without it each row of x gets an affine 8-bit grid of its own when it comes ("dynamic"). Without `products` it is
  // not packed: an embedding table.
  QuantizedWeight(Tensor q, QuantGrid grid, int bits, std::optional<QuantGrid> input, bool products = true);
  // The same from what packed() of one with all its quads in order gave; its memory is kept where the kernels read this
  // order. Throws for what does not fit together, and for integers that are not on the grid.
  QuantizedWeight(int64_t in, PackedQuads packed, QuantGrid grid, int bits, std::optional<QuantGrid> input);

  int64_t out() const { return grid_.rows(); }
  int64_t in() const { return in_; }
  Tensor q() const { return q_ ? q_ : unpacked(); }
  const QuantGrid& grid() const { return grid_; }
  int bits() const { return bits_; }
  const std::optional<QuantGrid>& input() const { return input_; }
  std::optional<kernels::GridRow> input_row() const;  // the same, as bytes
  bool shares_input(const QuantizedWeight& other) const;
  bool products() const { return static_cast<bool>(packed_.values); }
  PackedQuads packed() const;  // quads left out one by one, in order, whatever the kernels here read

  // Outputs 32 i … of gemm_int8's B = w^T, without the quads that are zero in all of them: where AMX multiplies,
  // without the groups of 16 quads that are.
  struct Panel {
    int64_t quads = 0;               // that are left
    const int32_t* index = nullptr;  // their places in x; null: all are left, in order
    const uint32_t* values = nullptr;
    kernels::NarrowSums narrow = {};  // where a kernel for them multiplies
  };
  Panel panel(int64_t i) const;
  int64_t group() const { return group_; }  // quads that were left out or kept together
  double work_left() const;                 // share of the quads that are left

  // Rows of x as integers, and their grids.
  struct Rows {
    int64_t rows = 0;
    const uint8_t* x = nullptr;  // 4 * quads_of(in) bytes of each can be read
    int64_t stride = 0;
    const float* scales = nullptr;  // of each row, or one for all
    const int32_t* zero_points = nullptr;
    bool by_row = false;
  };
  // Outputs 32 i … of x w^T + bias, on this thread: where `to` says, which points at the first of them; bias[out].
  void multiply(int64_t i, const Rows& x, const float* bias, kernels::Int8Output to) const noexcept;

  // Row i of a table in real numbers, [in].
  void row(int64_t i, float* to) const noexcept;

  // Keeps the packed form only: q() makes the matrix anew each time.
  void drop_matrix();

 private:
  struct Contents {  // of a panel
    bool in_place = false;
    kernels::NarrowSums narrow = {};
  };

  void check() const;
  Tensor unpacked() const;
  void take(PackedQuads packed);  // as it is
  void order_panels();            // for the kernels here
  void add_up();                  // the sums of the rows
  void check_integers() const;

  Tensor q_;
  int64_t in_;
  QuantGrid grid_;
  int bits_;
  std::optional<QuantGrid> input_;
  int64_t group_ = 1;
  PackedQuads packed_;
  Tensor sums_;  // i32[out]
  std::vector<Contents> contents_;
};

// Affine 8-bit grids of the rows of x[rows, cols], f32 or bf16, each from its own smallest and largest value; and of
// one row, x[n]. Throws for a NaN or an infinity.
QuantGrid dynamic_grid(const Tensor& x);
kernels::GridRow dynamic_row(int64_t n, const float* x);
kernels::GridRow dynamic_row(int64_t n, const Bf16* x);

}  // namespace espalier
