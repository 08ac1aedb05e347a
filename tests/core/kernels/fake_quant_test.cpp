// SPDX-License-Identifier: Apache-2.0
// Fake-quant against PyTorch's, in closed forms, and against the real integers, on every instruction set.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "core/check.h"
#include "core/kernels/isa.h"
#include "core/ops.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

Tensor floats(std::initializer_list<float> v) { return Tensor::of<float>({std::ssize(v)}, std::vector<float>(v)); }

QuantGrid grid_of(std::initializer_list<float> scales, int32_t zero, int32_t low, int32_t high) {
  QuantGrid grid{floats(scales), Tensor({std::ssize(scales)}, DType::i32), low, high};
  for (int32_t& z : grid.zero_point.span<int32_t>()) z = zero;
  return grid;
}

class FakeQuant : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { kernels::set_isa(GetParam()); }
  void TearDown() override { kernels::set_isa(best_); }
  const std::string best_ = kernels::current_isa();
};

TEST_P(FakeQuant, IsPyTorchs) {
  const golden::File file("quantization.txt");
  const std::pair<std::string, QuantGrid> cases[] = {
      {"tensor", grid_of({0.0173F}, 93, 0, 255)},
      {"channel", grid_of({0.02F, 0.01F, 0.3F, 0.005F, 1.0F, 0.0234F}, 0, -127, 127)}};
  for (const auto& [name, grid] : cases) {
    const Shape shape = name == "tensor" ? Shape{5, 7} : Shape{6, 9};
    const Tensor x = golden::uniform(name, 0, shape, 3, DType::f32),
                 gy = golden::uniform(name, 1, shape, 2, DType::f32);
    Tape tape;
    LeafGrad gx;
    const Var y = ops::fake_quant(tape.leaf(x, gx), grid);
    tape.backward(y, gy);
    for (int64_t i = 0; i < x.size(); ++i) {
      EXPECT_FLOAT_EQ(y.value.data<float>()[i], static_cast<float>(file.at(name + "/y")[static_cast<size_t>(i)]))
          << name << i;
      EXPECT_FLOAT_EQ(gx.grad.data<float>()[i], static_cast<float>(file.at(name + "/gx")[static_cast<size_t>(i)]))
          << name << i;
    }
  }
}

// Fake-quant is what the integers say, to the last bit, in f32 and from bf16.
TEST_P(FakeQuant, EqualsTheIntegers) {
  for (const auto& grid : {grid_of({0.013F}, 100, 0, 255), grid_of({0.02F, 0.5F, 0.001F}, 0, -7, 7)})
    for (const DType type : {DType::f32, DType::bf16}) {
      const Tensor x = golden::uniform("x", 3, {3, 133}, 3, DType::f32).to(type);
      const Tensor y = ops::fake_quant(Var{x}, grid).value, q = quantize(x, grid);
      const Tensor back = dequantize(q, grid).to(type);
      EXPECT_EQ(std::memcmp(y.raw(), back.raw(), y.bytes()), 0);
      for (int64_t i = 0; i < q.size(); ++i) {
        const int v = q.dtype() == DType::s8 ? q.data<int8_t>()[i] : q.data<uint8_t>()[i];
        EXPECT_TRUE(v >= grid.low && v <= grid.high);
      }
    }
}

TEST_P(FakeQuant, TiesGoToEvenAndEndsAreClamped) {
  const QuantGrid grid = grid_of({0.5F}, 2, 0, 7);
  const Tensor x = Tensor::of<float>({1, 8}, std::vector<float>{0.25F, 0.75F, -0.25F, -0.75F, 100, -100, 2.5F, -1});
  const std::vector<float> wanted = {0, 1, 0, -1, 2.5F, -1, 2.5F, -1}, gradient = {1, 1, 1, 1, 0, 0, 1, 1};
  Tape tape;
  LeafGrad gx;
  const Var y = ops::fake_quant(tape.leaf(x, gx), grid);
  const Tensor ones = x.clone();
  for (float& v : ones.span<float>()) v = 1;
  tape.backward(y, ones);
  for (int64_t i = 0; i < 8; ++i) {
    EXPECT_EQ(y.value.data<float>()[i], wanted[static_cast<size_t>(i)]) << i;
    EXPECT_EQ(gx.grad.data<float>()[i], gradient[static_cast<size_t>(i)]) << i;
  }
}

// LSQ's gradients, element by element in f64.
TEST_P(FakeQuant, LearnedScalesFollowTheirClosedForm) {
  const Tensor x = golden::uniform("lsq", 0, {4, 50}, 3), gy = golden::uniform("lsq", 1, {4, 50});
  for (const bool per_row : {false, true}) {
    const std::vector<double> s = per_row ? std::vector<double>{0.25, 0.5, 0.125, 1} : std::vector<double>{0.25};
    const Tensor scale = Tensor::of<double>({std::ssize(s)}, s);
    constexpr int low = -7, high = 7;
    Tape tape;
    LeafGrad gx, gs;
    const Var y = ops::fake_quant(tape.leaf(x, gx), tape.leaf(scale, gs), low, high);
    tape.backward(y, gy);
    std::vector<double> sums(s.size());
    for (int64_t i = 0; i < x.size(); ++i) {
      const size_t at = per_row ? static_cast<size_t>(i / 50) : 0;
      const double v = x.data<double>()[i] / s[at], g = gy.data<double>()[i];
      const bool inside = std::nearbyint(v) >= low && std::nearbyint(v) <= high;
      EXPECT_NEAR(y.value.data<double>()[i], std::min(7.0, std::max(-7.0, std::nearbyint(v))) * s[at], 1e-12);
      EXPECT_EQ(gx.grad.data<double>()[i], inside ? g : 0);
      sums[at] += g * (v <= low ? low : v >= high ? high : std::nearbyint(v) - v);
    }
    for (size_t k = 0; k < s.size(); ++k)
      EXPECT_NEAR(gs.grad.data<double>()[k], sums[k] / std::sqrt(200.0 / static_cast<double>(s.size()) * high), 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, FakeQuant, testing::ValuesIn(kernels::available_isas()),
                         [](const auto& tested) { return tested.param; });

TEST(QuantGrid, AffineIsPyTorchs) {
  const golden::File file("quantization.txt");
  const std::tuple<const char*, float, float> ranges[] = {
      {"affine-1.5", -1.5F, 3.25F}, {"affine0.2", 0.2F, 5.0F}, {"affine-4.0", -4.0F, -1.0F}};
  for (const auto& [key, least, most] : ranges) {
    const QuantGrid grid = affine_grid(least, most, 8);
    EXPECT_FLOAT_EQ(grid.scale.data<float>()[0], static_cast<float>(file.at(key)[0]));
    EXPECT_EQ(grid.zero_point.data<int32_t>()[0], file.at(key)[1]);
  }
}

TEST(QuantGrid, ZerosAndConstantsHaveAGrid) {
  const Tensor w = Tensor::of<float>({3, 2}, std::vector<float>{0, 0, 3, 3, -127, 1});
  const QuantGrid rows = symmetric_row_grid(w, 8);
  EXPECT_EQ(rows.scale.data<float>()[0], 1.0F);
  EXPECT_EQ(rows.scale.data<float>()[2], 1.0F);
  const Tensor back = dequantize(quantize(w, rows), rows);
  for (int64_t i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(back.data<float>()[i], w.data<float>()[i]);
  EXPECT_EQ(affine_grid(0, 0, 8).scale.data<float>()[0], 1.0F);
  EXPECT_EQ(symmetric_grid(1, 2).high, 1);
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) { return e.what(); }
  return "no error";
}

TEST(QuantGrid, MistakesAreErrors) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  EXPECT_NE(error_of([&] { affine_grid(nan, 1, 8); }).find("the range nan"), std::string::npos);
  EXPECT_NE(error_of([&] { affine_grid(0, infinity, 8); }).find("to inf"), std::string::npos);
  EXPECT_NE(error_of([&] { affine_grid(2, 1, 8); }).find("in order"), std::string::npos);
  EXPECT_NE(error_of([&] { symmetric_grid(1, 9); }).find("9 bits; 2 to 8"), std::string::npos);
  const Tensor w = Tensor::of<float>({2, 1}, std::vector<float>{1, nan});
  EXPECT_NE(error_of([&] { symmetric_row_grid(w, 8); }).find("row 1 of a weight[2, 1] holds a NaN"), std::string::npos);
  EXPECT_NE(error_of([&] {
              ops::fake_quant(Var{Tensor::zeros({2, 3})}, grid_of({1, 1, 1}, 0, -1, 1));
            }).find("[2, 3]"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              ops::fake_quant(Var{Tensor::zeros({2, 3})}, Var{Tensor::zeros({1})}, -1, 1);
            }).find("scale 0 is 0; a positive number"),
            std::string::npos);
}

}  // namespace
}  // namespace espalier
