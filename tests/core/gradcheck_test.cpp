// SPDX-License-Identifier: Apache-2.0
#include "core/gradcheck.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/ops.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

// y = x^3, with a gradient that is right up to `flaw`, relative, in the element `where`.
Var cube(const Var& x, double flaw = 0, int64_t where = 0) {
  Tensor y(x.shape(), x.dtype());
  const auto* from = x.value.data<double>();
  for (int64_t i = 0; i < y.size(); ++i) y.data<double>()[i] = from[i] * from[i] * from[i];
  return Tape::record("cube", y, {&x}, [x = x.value, flaw, where](const Tensor& gy, Tape::Slots& slots) {
    if (auto gx = slots[0])
      for (int64_t i = 0; i < x.size(); ++i) {
        const double v = x.data<double>()[i];
        gx.to.data<double>()[i] = (gx.accumulate ? gx.to.data<double>()[i] : 0) +
                                  3 * v * v * gy.data<double>()[i] * (i == where ? 1 + flaw : 1);
      }
  });
}

const std::array inputs = {golden::uniform("cube", 0, {20, 50})};

std::string error_of(const DifferentiableFunction& f, std::span<const Tensor> x = inputs,
                     const GradCheckOptions& options = {}) {
  try {
    check_gradient(f, x, options);
  } catch (const Error& e) { return e.what(); }
  return "";
}

TEST(GradCheck, accepts_a_right_gradient) {
  const double error = check_gradient([](std::span<const Var> x) { return cube(x[0]); }, inputs);
  EXPECT_LT(error, 1e-9);
  EXPECT_GT(error, 0);
}

TEST(GradCheck, finds_one_wrong_element_of_a_thousand) {
  const std::string text = error_of([](std::span<const Var> x) { return cube(x[0], 0.01, 123); });
  EXPECT_NE(text.find("input 0 [20, 50]"), std::string::npos) << text;
  EXPECT_NE(error_of([](std::span<const Var> x) { return cube(x[0], -1, 999); }), "");
  EXPECT_EQ(error_of([](std::span<const Var> x) { return cube(x[0], 0.01, 123); }, inputs, {.tolerance = 0.1}), "");
}

TEST(GradCheck, finds_gradients_that_are_missing_or_not_numbers) {
  const auto forgets = [](std::span<const Var> x) {
    return Tape::record("forgets", cube({x[0].value}).value, {&x[0]}, [](const Tensor&, Tape::Slots&) {});
  };
  EXPECT_NE(error_of(forgets), "");
  EXPECT_NE(error_of([](std::span<const Var> x) { return cube(x[0], std::nan(""), 7); }), "");
}

TEST(GradCheck, accepts_a_gradient_of_zero) {
  const std::array two = {inputs[0], golden::uniform("cube", 1, {3})};
  EXPECT_EQ(error_of([](std::span<const Var> x) { return cube(x[0]); }, two), "");  // does not depend on x[1]
}

TEST(GradCheck, says_what_it_cannot_check) {
  const std::array single = {Tensor::zeros({2})};
  EXPECT_NE(error_of([](std::span<const Var> x) { return x[0]; }, single).find("input 0 is f32"), std::string::npos);
  EXPECT_NE(error_of([](std::span<const Var> x) { return Var{x[0].value}; }).find("tape"), std::string::npos);
  uint64_t calls = 0;
  EXPECT_NE(error_of([&](std::span<const Var> x) {
              return ops::dropout(x[0], {0.5F, 1, calls++});
            }).find("two calls"),
            std::string::npos);
}

}  // namespace
}  // namespace espalier
