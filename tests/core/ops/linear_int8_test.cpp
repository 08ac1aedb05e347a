// SPDX-License-Identifier: Apache-2.0
// The linear layer that is made of int8 products.
#include <gtest/gtest.h>

#include <cmath>

#include "core/check.h"
#include "core/kernels/isa.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

class Int8 : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { kernels::set_isa(GetParam()); }
  void TearDown() override { kernels::set_isa(best_); }
  const std::string best_ = kernels::current_isa();
};

// The layer against fake-quant in f64: static affine and symmetric, and dynamic.
TEST_P(Int8, LinearIsFakeQuantInIntegers) {
  for (const int kind : {0, 1, 2})
    for (const int64_t in : {64, 77}) {
      const Tensor x = golden::uniform("x", 0, {50, in}, 2, DType::f32),
                   w = golden::uniform("w", 0, {70, in}, 1, DType::f32),
                   w2 = golden::uniform("w2", 0, {33, in}, 1, DType::f32),
                   b = golden::uniform("b", 0, {70}, 1, DType::f32), b2 = golden::uniform("b2", 0, {33}, 1, DType::f32);
      const std::optional<QuantGrid> input = kind == 0   ? std::optional(affine_grid(-1.7F, 1.2F, 8))
                                             : kind == 1 ? std::optional(symmetric_grid(1.5F, 8))
                                                         : std::nullopt;
      std::vector<ops::Affine> parts;
      for (const auto& [weight, bias] : {std::pair(w, b), std::pair(w2, b2)}) {
        const QuantGrid grid = symmetric_row_grid(weight, 8);
        parts.push_back(
            {Var{weight}, Var{bias}, std::make_shared<const QuantizedWeight>(quantize(weight, grid), grid, 8, input)});
      }
      const Tensor y = ops::linear(Var{x}, parts).value;
      const Tensor fx = ops::fake_quant(Var{x}, input ? *input : dynamic_grid(x)).value;
      ASSERT_EQ(y.shape(), (Shape{50, 103}));
      for (int64_t r = 0; r < 50; ++r)
        for (int64_t c = 0; c < 103; ++c) {
          const bool first = c < 70;
          const Tensor fw = ops::fake_quant(Var{first ? w : w2}, symmetric_row_grid(first ? w : w2, 8)).value;
          if (r % 7 != 0) break;  // fewer rows: this is slow
          const int64_t row = first ? c : c - 70;
          double sum = static_cast<double>((first ? b : b2).data<float>()[row]);
          for (int64_t i = 0; i < in; ++i)
            sum +=
                static_cast<double>(fx.data<float>()[r * in + i]) * static_cast<double>(fw.data<float>()[row * in + i]);
          ASSERT_NEAR(y.data<float>()[r * 103 + c], sum, 1e-4) << kind << ' ' << r << ' ' << c;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Isa, Int8, testing::ValuesIn(kernels::available_isas()),
                         [](const auto& tested) { return tested.param; });

// The same bits on every instruction set and with any number of threads.
TEST(Int8Linear, HasTheSameBitsEverywhere) {
  const Tensor x = golden::uniform("x", 0, {200, 96}, 2, DType::f32),
               w = golden::uniform("w", 0, {65, 96}, 1, DType::f32), b = golden::uniform("b", 0, {65}, 1, DType::f32);
  const QuantGrid grid = symmetric_row_grid(w, 8);
  const ops::Affine part{Var{w}, Var{b},
                         std::make_shared<const QuantizedWeight>(quantize(w, grid), grid, 8, affine_grid(-2, 2, 8))};
  const auto run = [&] {
    const Tensor y = ops::linear(Var{x}, part).value;
    return std::vector<float>(y.span<float>().begin(), y.span<float>().end());
  };
  const auto expected = run();
  const std::string best = kernels::current_isa();
  for (const std::string& isa : kernels::available_isas()) {
    kernels::set_isa(isa);
    EXPECT_EQ(run(), expected) << isa;
  }
  kernels::set_isa(best);
  set_threads(1);
  EXPECT_EQ(run(), expected);
  set_threads(0);
}

// Forward with integers, backward as through fake-quant and a product of real numbers: the same bits as those ops.
TEST(Int8Linear, GradientPassesStraightThrough) {
  const Tensor x = golden::uniform("x", 0, {37, 40}, 2, DType::f32),
               w = golden::uniform("w", 0, {6, 40}, 1, DType::f32), b = golden::uniform("b", 0, {6}, 1, DType::f32),
               gy = golden::uniform("g", 0, {37, 6}, 1, DType::f32);
  const QuantGrid grid = symmetric_row_grid(w, 8);
  const Tensor on_grid = dequantize(quantize(w, grid), grid);
  for (const auto& input : {std::optional(affine_grid(-1.5F, 1.2F, 8)), std::optional<QuantGrid>()})
    for (const DType compute : {DType::f32, DType::bf16}) {
      const auto run = [&](bool integers) {
        std::array<LeafGrad, 3> gradients;
        Tape tape;
        const Var in = tape.leaf(x, gradients[0]);
        ops::Affine part{tape.leaf(on_grid, gradients[1]), tape.leaf(b, gradients[2])};
        if (integers) part.form = std::make_shared<const QuantizedWeight>(quantize(w, grid), grid, 8, input);
        const Var y = ops::linear(integers ? in : ops::fake_quant(in, input ? *input : dynamic_grid(x)), part, compute,
                                  DType::f32);
        tape.backward(y, gy);
        std::vector<Tensor> all = {y.value};
        for (const LeafGrad& g : gradients) all.push_back(g.grad);
        return all;
      };
      const auto found = run(true), expected = run(false);
      for (size_t i = 0; i < 4; ++i)
        for (int64_t j = 0; j < found[i].size(); ++j) {
          const float f = found[i].data<float>()[j], e = expected[i].data<float>()[j];
          if (i > 0) {
            ASSERT_EQ(f, e) << "gradient " << i;
          } else
            ASSERT_NEAR(f, e, compute == DType::f32 ? 1e-5 : 0.05);
        }
    }
}

TEST(Int8Linear, ShapesThatDoNotFitAreErrors) {
  const Tensor w = golden::uniform("w", 0, {3, 4}, 1, DType::f32);
  const QuantGrid grid = symmetric_row_grid(w, 8);
  const ops::Affine part{Var{w}, Var{Tensor::zeros({3})},
                         std::make_shared<const QuantizedWeight>(quantize(w, grid), grid, 8, std::nullopt)};
  EXPECT_THROW(ops::linear(Var{Tensor::zeros({2, 5})}, part), Error);
  const std::array mixed = {part, ops::Affine{part.w, part.b}};
  const Var x{Tensor::zeros({2, 4})};
  EXPECT_THROW(ops::linear(x, mixed), Error) << "one int8, one not";
  Tape tape;
  LeafGrad gx;
  EXPECT_THROW(ops::linear_int8(tape.leaf(Tensor::zeros({2, 4}), gx), std::span(&part, 1)), Error);
}

}  // namespace
}  // namespace espalier
