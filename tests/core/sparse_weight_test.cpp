// SPDX-License-Identifier: Apache-2.0
// Products that leave out the zeros of a pruned weight: every kernel against a plain loop, and the same bits as a
// product that leaves out nothing.
#include "core/sparse_weight.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>

#include "core/gemm.h"
#include "core/kernels/amx_product.h"
#include "core/kernels/isa.h"
#include "core/ops.h"
#include "core/packed_weight.h"
#include "core/parallel.h"
#include "core/rng.h"

namespace espalier {
namespace {

Tensor randn(const Shape& shape, uint64_t stream) {
  Tensor t(shape);
  Rng rng(11, stream);
  for (float& v : t.span<float>()) v = static_cast<float>(rng.normal());
  return t;
}

// Blocks of rows x cols, those at the lower and right edge smaller, are zero by the given share; every other one
// negative zero.
Tensor pruned(int64_t out, int64_t in, int64_t rows, int64_t cols, double share) {
  const Tensor w = randn({out, in}, 2);
  Rng rng(5, 0);
  for (int64_t r = 0; r < out; r += rows)
    for (int64_t c = 0; c < in; c += cols) {
      if (rng.uniform() >= share) continue;
      const float zero = c / cols % 2 == 0 ? 0.0F : -0.0F;
      for (int64_t i = r; i < std::min(out, r + rows); ++i)
        std::fill(w.data<float>() + i * in + c, w.data<float>() + i * in + std::min(in, c + cols), zero);
    }
  return w;
}

struct Case {
  int64_t m, out, in, rows, cols;
  double share;
};
constexpr std::array cases = {
    Case{1, 1, 1, 1, 1, 0},        Case{3, 33, 5, 32, 1, 0.5},    Case{5, 64, 64, 32, 32, 0.5},
    Case{12, 32, 48, 32, 2, 0.8},  Case{13, 96, 70, 32, 3, 0.7},  Case{7, 40, 40, 16, 8, 0.6},
    Case{25, 50, 96, 64, 64, 0.5}, Case{11, 96, 31, 32, 31, 0.7}, Case{29, 65, 130, 32, 16, 1},
    Case{6, 70, 66, 32, 33, 0.5},  Case{24, 128, 128, 1, 1, 0.9},
};

double plain(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t i, int64_t j) {
  double sum = bias.data<float>()[j];
  for (int64_t k = 0; k < x.cols(); ++k)
    sum += static_cast<double>(x.data<float>()[i * x.cols() + k]) * w.data<float>()[j * x.cols() + k];
  return sum;
}

// y[m, out + 3]; what lies between the rows stays.
Tensor f32_product(const Tensor& x, const SparseWeight& w, const Tensor& bias) {
  const Tensor y({x.rows(), w.out() + 3});
  for (float& v : y.span<float>()) v = 77;
  kernels::gemm_sparse({.m = x.rows(),
                        .n = w.out(),
                        .a = x.data<float>(),
                        .lda = x.cols(),
                        .panels = w.panels(),
                        .c = y.data<float>(),
                        .ldc = y.cols(),
                        .bias = bias.data<float>()});
  return y;
}

TEST(GemmSparse, f32_products_of_each_instruction_set_agree_with_a_plain_loop) {
  for (const std::string& isa : kernels::available_isas()) {
    kernels::set_isa(isa);
    for (const Case& c : cases) {
      SCOPED_TRACE(testing::Message() << isa << ": " << c.m << " x " << c.out << " x " << c.in);
      const Tensor w = pruned(c.out, c.in, c.rows, c.cols, c.share), x = randn({c.m, c.in}, 1),
                   bias = randn({c.out}, 3);
      const Tensor y = f32_product(x, SparseWeight(w, DType::f32), bias);
      for (int64_t i = 0; i < c.m; ++i)
        for (int64_t j = 0; j < y.cols(); ++j) {
          const double expected = j < c.out ? plain(x, w, bias, i, j) : 77;
          ASSERT_NEAR(y.data<float>()[i * y.cols() + j], expected, 1e-5 * (1 + std::sqrt(c.in))) << i << ", " << j;
        }
    }
  }
  kernels::set_isa("");
}

using Kernel = void (*)(const kernels::Bf16Product&);

// Zeros that are left out give the same bits as zeros that are multiplied by.
void check_bf16(Kernel kernel) {
  for (const Case& c : cases) {
    SCOPED_TRACE(testing::Message() << c.m << " x " << c.out << " x " << c.in);
    const Tensor w = pruned(c.out, c.in, c.rows, c.cols, c.share), bias = randn({c.out}, 3);
    const Tensor x = as_pairs(randn({c.m, c.in}, 1)), dense({c.m, c.out}), left({c.m, c.out});
    const SparseWeight sparse(w, DType::bf16);
    PackedWeight packed(c.out, c.in);
    packed.pack(w.data<float>());
    kernels::Bf16Product g = {.m = c.m,
                              .n = c.out,
                              .pairs = kernels::pairs_of(c.in),
                              .a = reinterpret_cast<const uint32_t*>(x.raw()),
                              .a_row = x.cols() / 2,
                              .b = packed.forward(),
                              .c = dense.data<float>(),
                              .ldc = c.out,
                              .bias = bias.data<float>()};
    kernel(g);
    g.b = nullptr;
    g.panels = sparse.panels();
    g.c = left.data<float>();
    kernel(g);
    for (int64_t i = 0; i < dense.size(); ++i)
      ASSERT_EQ(std::bit_cast<uint32_t>(left.data<float>()[i]), std::bit_cast<uint32_t>(dense.data<float>()[i])) << i;
  }
}

TEST(GemmSparse, bf16_products_of_each_instruction_set_equal_dense_ones) {
  for (const std::string& isa : kernels::available_isas()) {
    kernels::set_isa(isa);
    SCOPED_TRACE(isa);
    check_bf16([](const kernels::Bf16Product& g) { kernels::gemm_bf16(g); });
  }
  kernels::set_isa("");
}

TEST(GemmSparse, bf16_products_in_blocks_for_amx_equal_dense_ones_on_emulated_tiles) {
  check_bf16([](const kernels::Bf16Product& g) {
    kernels::EmulatedTiles tiles;
    kernels::tile_product(g, tiles);
  });
}

TEST(SparseWeight, holds_the_steps_in_which_a_weight_is_left) {
  const Tensor w = Tensor::zeros({40, 70});
  w.data<float>()[0 * 70 + 4] = 1;
  w.data<float>()[31 * 70 + 5] = 2;
  w.data<float>()[3 * 70 + 69] = 3;
  w.data<float>()[33 * 70 + 7] = 4;
  const SparseWeight sparse(w, DType::f32);
  const kernels::Panel first = sparse.panels()[0], second = sparse.panels()[1];
  ASSERT_EQ(first.runs.size(), 2);
  EXPECT_EQ(first.runs[0].begin, 4);
  EXPECT_EQ(first.runs[0].end, 6);
  EXPECT_EQ(first.runs[1].begin, 69);
  EXPECT_EQ(first.runs[1].end, 70);
  ASSERT_EQ(second.runs.size(), 1);
  EXPECT_EQ(second.runs[0].begin, 7);
  const auto value = [](const kernels::Panel& panel, int64_t i) { return std::bit_cast<float>(panel.values[i]); };
  EXPECT_EQ(value(first, 0), 1);
  EXPECT_EQ(value(first, 32 + 31), 2);
  EXPECT_EQ(value(first, 64 + 3), 3);
  EXPECT_EQ(value(second, 1), 4);
}

TEST(SparseWeight, says_what_is_left_and_leaves_dense_weights_alone) {
  const Tensor w = randn({64, 64}, 1);
  EXPECT_EQ(SparseWeight::work_left(w, DType::f32), 1);
  EXPECT_EQ(SparseWeight::where_faster(w, DType::f32), nullptr);
  std::fill_n(w.data<float>(), 32 * 64, -0.0F);  // one of two panels
  EXPECT_EQ(SparseWeight::work_left(w, DType::f32), 0.5);
  EXPECT_EQ(SparseWeight::work_left(w, DType::bf16), 0.5);
  ASSERT_NE(SparseWeight::where_faster(w, DType::bf16), nullptr);
  w.data<float>()[6] = 1;
  EXPECT_EQ(SparseWeight::work_left(w, DType::f32), 0.5 + 1.0 / 128);
  for (int64_t r = 0; r < 32; ++r)
    for (int64_t c = 0; c < 64; c += 2) w.data<float>()[r * 64 + c] = 1;  // every other input: no pair is free
  EXPECT_EQ(SparseWeight::work_left(w, DType::f32), 0.75);
  EXPECT_EQ(SparseWeight::work_left(w, DType::bf16), 1);
}

TEST(SparseWeight, scattered_zeros_gain_nothing) {
  EXPECT_EQ(SparseWeight::work_left(pruned(128, 128, 1, 1, 0.9), DType::f32), 1);
}

// Query, key and value: one of them dense, two sparse.
std::vector<ops::Affine> three_parts(DType compute) {
  std::vector<ops::Affine> parts;
  for (uint64_t i = 0; i < 3; ++i) {
    const Tensor w = pruned(64, 96, 32, 16, i == 1 ? 0 : 0.7);
    parts.push_back({Var{w}, Var{randn({64}, 20 + i)}});
    parts.back().sparse = SparseWeight::where_faster(w, compute);
    EXPECT_EQ(parts.back().sparse == nullptr, i == 1);
  }
  return parts;
}

TEST(Linear, parts_with_and_without_zero_blocks_lie_side_by_side) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    const std::vector<ops::Affine> sparse = three_parts(compute);
    std::vector<ops::Affine> dense = sparse;
    for (ops::Affine& part : dense) part.sparse = nullptr;
    const Var x{randn({37, 96}, 9)};
    set_threads(1);
    const Tensor expected = ops::linear(x, dense, compute, DType::f32).value,
                 found = ops::linear(x, sparse, compute, DType::f32).value;
    for (int64_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(found.data<float>()[i], expected.data<float>()[i], 1e-4) << name_of(compute) << ", element " << i;
    set_threads(4);
    const Tensor again = ops::linear(x, sparse, compute, DType::f32).value;
    set_threads(0);
    EXPECT_TRUE(std::ranges::equal(again.span<float>(), found.span<float>())) << name_of(compute);
  }
}

TEST(Linear, on_a_tape_sparse_weights_are_not_read) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    const auto gradient = [&](std::vector<ops::Affine> parts, bool sparse) {
      for (ops::Affine& part : parts)
        if (!sparse) part.sparse = nullptr;
      Tape tape;
      LeafGrad grad;
      const Var y = ops::linear(tape.leaf(randn({37, 96}, 9), grad), parts, compute, DType::f32);
      tape.backward(y, randn(y.shape(), 10));
      return std::pair{y.value, grad.grad};
    };
    const std::vector<ops::Affine> parts = three_parts(compute);
    const auto [y, gx] = gradient(parts, true);
    const auto [dense_y, dense_gx] = gradient(parts, false);
    EXPECT_TRUE(std::ranges::equal(y.span<float>(), dense_y.span<float>())) << name_of(compute);
    EXPECT_TRUE(std::ranges::equal(gx.span<float>(), dense_gx.span<float>())) << name_of(compute);
  }
}

TEST(Linear, a_sparse_weight_for_other_products_is_refused) {
  const Tensor w = pruned(64, 64, 32, 32, 0.7);
  ops::Affine part{Var{w}, Var{Tensor::zeros({64})}};
  part.sparse = std::make_shared<const SparseWeight>(w, DType::bf16);
  EXPECT_THROW(ops::linear(Var{randn({4, 64}, 1)}, part), Error);
}

}  // namespace
}  // namespace espalier
