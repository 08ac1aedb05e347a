// SPDX-License-Identifier: Apache-2.0
// Products of inference, which leave out the zeros of a pruned weight: on every instruction set against a plain loop,
// and in bf16 the same bits as those of training, which leave out nothing.
#include "core/products/inference_weight.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/kernels/isa.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/products/packed_weight.h"
#include "core/rng.h"
#include "tests/core/products/randn.h"

namespace espalier {
namespace {

// Blocks of rows x cols, smaller at the lower and right edge, are zero by the given share, every other one negative.
Tensor pruned(int64_t out, int64_t in, int64_t rows, int64_t cols, double share) {
  Tensor w = randn({out, in}, 2);
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

// Columns 3 … of y[m, out + 7]; what lies beside them stays 77.
Tensor product(const Tensor& x, const Tensor& w, const Tensor& bias, DType compute, DType result) {
  const Tensor y({x.rows(), w.rows() + 7});
  for (float& v : y.span<float>()) v = 77;
  const Tensor typed = y.to(result);
  InferenceWeight(w, compute).multiply(compute == DType::bf16 ? as_pairs(x) : x, bias, typed, 3);
  return typed.to(DType::f32);
}

float rounded(float v, DType type) { return type == DType::bf16 ? static_cast<float>(Bf16(v)) : v; }

class InferenceProducts : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { kernels::set_isa(GetParam()); }
  void TearDown() override { kernels::set_isa(""); }
};

struct Case {
  int64_t m, out, in, rows, cols;
  double share;
};
constexpr Case cases[] = {{1, 1, 1, 1, 1, 0},        {3, 33, 5, 32, 1, 0.5},    {5, 64, 64, 32, 32, 0.5},
                          {12, 32, 48, 32, 2, 0.8},  {13, 96, 70, 32, 3, 0.7},  {7, 40, 40, 16, 8, 0.6},
                          {25, 50, 96, 64, 64, 0.5}, {11, 96, 31, 32, 31, 0.7}, {29, 65, 130, 32, 16, 1},
                          {6, 70, 66, 32, 33, 0.5},  {24, 128, 128, 1, 1, 0.9}, {200, 64, 64, 32, 32, 0.5}};

TEST_P(InferenceProducts, ProductsAgreeWithAPlainLoop) {
  for (const auto& [compute, result] :
       {std::pair{DType::f32, DType::f32}, {DType::bf16, DType::f32}, {DType::bf16, DType::bf16}})
    for (const Case& c : cases) {
      SCOPED_TRACE(testing::Message() << name_of(compute) << ": " << c.m << " x " << c.out << " x " << c.in);
      const Tensor w = pruned(c.out, c.in, c.rows, c.cols, c.share), x = randn({c.m, c.in}, 1),
                   bias = randn({c.out}, 3), y = product(x, w, bias, compute, result);
      for (int64_t i = 0; i < c.m; ++i)
        for (int64_t j = 0; j < y.cols(); ++j) {
          double sum = 77, size = 0;
          if (j >= 3 && j < c.out + 3) {
            sum = bias.data<float>()[j - 3];
            for (int64_t k = 0; k < c.in; ++k) {
              const double term = static_cast<double>(rounded(x.data<float>()[i * c.in + k], compute)) *
                                  static_cast<double>(rounded(w.data<float>()[(j - 3) * c.in + k], compute));
              sum += term;
              size += std::fabs(term);
            }
          }
          const double error = result == DType::bf16 ? std::fabs(sum) / 256 + 1e-6 : 1e-6 * std::fabs(sum);
          ASSERT_NEAR(y.data<float>()[i * y.cols() + j], sum, error + 1e-6 * size) << i << ", " << j;
        }
    }
}

TEST_P(InferenceProducts, Bf16ProductsHaveTheBitsOfDenseOnes) {
  for (const DType result : {DType::f32, DType::bf16})
    for (const Case& c : cases) {
      SCOPED_TRACE(testing::Message() << c.m << " x " << c.out << " x " << c.in);
      const Tensor w = pruned(c.out, c.in, c.rows, c.cols, c.share), x = randn({c.m, c.in}, 1),
                   bias = randn({c.out}, 3), y = product(x, w, bias, DType::bf16, result);
      const Tensor dense = ops::linear(Var{x}, {Var{w}, Var{bias}}, DType::bf16, result).value.to(DType::f32);
      for (int64_t i = 0; i < c.m; ++i)
        for (int64_t j = 0; j < c.out; ++j)
          ASSERT_EQ(y.data<float>()[i * y.cols() + j + 3], dense.data<float>()[i * c.out + j]) << i << ", " << j;
    }
}

INSTANTIATE_TEST_SUITE_P(Isa, InferenceProducts, testing::ValuesIn(kernels::available_isas()),
                         [](const auto& tested) { return tested.param; });

TEST(InferenceWeight, SaysWhatIsLeft) {
  const Tensor w = randn({64, 64}, 1);
  EXPECT_EQ(InferenceWeight::work_left(w, DType::f32), 1);
  std::fill_n(w.data<float>(), 32 * 64, -0.0F);  // one of two panels
  for (const DType compute : {DType::f32, DType::bf16}) EXPECT_EQ(InferenceWeight::work_left(w, compute), 0.5);
  w.data<float>()[6] = 1;
  EXPECT_EQ(InferenceWeight::work_left(w, DType::f32), 0.5 + 1.0 / 128);
  for (int64_t c = 0; c < 64; c += 2) w.data<float>()[c] = 1;  // every other input: no pair is free
  EXPECT_EQ(InferenceWeight::work_left(w, DType::f32), 0.75);
  EXPECT_EQ(InferenceWeight::work_left(w, DType::bf16), 1);
  EXPECT_EQ(InferenceWeight::work_left(pruned(128, 128, 1, 1, 0.8), DType::f32), 1) << "scattered zeros";
}

// Query, key and value: one dense, two sparse.
std::vector<ops::Affine> three_parts(DType compute) {
  std::vector<ops::Affine> parts;
  for (uint64_t i = 0; i < 3; ++i) {
    const Tensor w = pruned(64, 96, 32, 16, i == 1 ? 0 : 0.7);
    const WeightForm form = i == 1 ? WeightForm{} : WeightForm{std::make_shared<const InferenceWeight>(w, compute)};
    parts.push_back({Var{w}, Var{randn({64}, 20 + i)}, form});
  }
  return parts;
}

bool same(const Tensor& a, const Tensor& b) { return std::ranges::equal(a.span<float>(), b.span<float>()); }

TEST(InferenceWeight, PartsWithAndWithoutLieSideBySide) {
  const Var x{randn({37, 96}, 9)};
  for (const DType compute : {DType::f32, DType::bf16}) {
    const std::vector<ops::Affine> sparse = three_parts(compute);
    std::vector<ops::Affine> dense = sparse;
    for (ops::Affine& part : dense) part.form = {};
    const auto run = [&](const auto& parts) { return ops::linear(x, parts, compute, DType::f32).value; };
    const Tensor expected = run(dense), found = run(sparse);
    for (int64_t i = 0; i < expected.size(); ++i)
      ASSERT_NEAR(found.data<float>()[i], expected.data<float>()[i], compute == DType::f32 ? 2e-5 : 0) << i;
    set_threads(1);
    EXPECT_TRUE(same(run(sparse), found)) << name_of(compute);
    set_threads(0);
  }
}

TEST(InferenceWeight, IsNotReadOnATape) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    const auto run = [&](bool sparse) {
      auto parts = three_parts(compute);
      for (ops::Affine& part : parts)
        if (!sparse) part.form = {};
      Tape tape;
      LeafGrad grad;
      const Var y = ops::linear(tape.leaf(randn({37, 96}, 9), grad), parts, compute, DType::f32);
      tape.backward(y, randn(y.shape(), 10));
      return std::pair{y.value, grad.grad};
    };
    const auto [y, gx] = run(true);
    const auto [dense_y, dense_gx] = run(false);
    EXPECT_TRUE(same(y, dense_y) && same(gx, dense_gx)) << name_of(compute);
  }
}

TEST(InferenceWeight, ForOtherProductsIsRefused) {
  const Tensor w = pruned(64, 64, 32, 32, 0.7);
  const ops::Affine part{Var{w}, Var{Tensor::zeros({64})}, std::make_shared<const InferenceWeight>(w, DType::bf16)};
  EXPECT_THROW(ops::linear(Var{randn({4, 64}, 1)}, part), Error);
}

}  // namespace
}  // namespace espalier
