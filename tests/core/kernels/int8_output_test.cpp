// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/int8_output.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "core/kernels/activation.h"
#include "core/kernels/isa.h"

namespace espalier::kernels {
namespace {

// Sums, and what turns them into numbers of about the given size.
constexpr std::array all_activations = {Activation::none, Activation::gelu, Activation::relu, Activation::gelu_new,
                                        Activation::silu};

struct Product {
  Product(int64_t row_count, int64_t column_count, float size, uint32_t seed)
      : rows(row_count), columns(column_count), sums(static_cast<size_t>(rows * columns)) {
    std::mt19937 random(seed);
    std::uniform_int_distribution<int32_t> any(-100'000, 100'000);
    std::uniform_real_distribution<float> unit(0.5F, 1.5F);
    for (int32_t& s : sums) s = any(random);
    for (int64_t c = 0; c < columns; ++c) {
      weight_sums.push_back(any(random) / 1000);
      scales.push_back(unit(random) * size / 100'000);
      bias.push_back((unit(random) - 1) * size);
    }
    for (int64_t r = 0; r < rows; ++r) {
      zero_points.push_back(any(random) / 800);
      x_scales.push_back(unit(random));
    }
  }

  Int8Output output(bool by_row, Activation then) const {
    return {.rows = rows,
            .columns = columns,
            .sums = sums.data(),
            .ld_sums = columns,
            .zero_points = zero_points.data(),
            .x_scales = x_scales.data(),
            .by_row = by_row,
            .weight_sums = weight_sums.data(),
            .scales = scales.data(),
            .bias = bias.data(),
            .then = then,
            .ldy = columns};
  }

  // The formula in the header, step by step in f32.
  std::vector<float> expected(bool by_row, Activation then) const {
    std::vector<float> y(sums.size());
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        const int64_t row = by_row ? r : 0, i = r * columns + c;
        const int32_t whole = sums[i] - zero_points[row] * weight_sums[c];
        const float factor = x_scales[row] * scales[c], product = static_cast<float>(whole) * factor;
        y[i] = product + bias[c];
      }
    std::vector<float> z(y.size());
    activation_forward(then, std::ssize(y), y.data(), z.data());
    return z;
  }

  int64_t rows, columns;
  std::vector<int32_t> sums, weight_sums, zero_points;
  std::vector<float> scales, bias, x_scales;
};

TEST(Int8Output, follows_its_formula_to_the_bit) {
  for (const std::string& isa : available_isas()) {
    set_isa(isa);
    for (const int64_t columns : {1, 3, 8, 16, 17, 31, 32})
      for (const bool by_row : {false, true})
        for (const Activation then : all_activations) {
          const Product p(5, columns, 3, static_cast<uint32_t>(columns));
          std::vector<float> y(p.sums.size());
          Int8Output output = p.output(by_row, then);
          output.y = y.data();
          write_int8_output(output);
          EXPECT_EQ(y, p.expected(by_row, then)) << isa << ", " << columns << " columns, " << name_of(then);
        }
  }
  set_isa("");
}

// The quick GELU must not show, whatever the size of numbers and steps.
TEST(Int8Output, integers_are_those_of_the_exact_activation) {
  for (const std::string& isa : available_isas()) {
    set_isa(isa);
    for (const float size : {0.01F, 1.0F, 4.0F, 20.0F, 1000.0F})
      for (const float step : {1e-6F, 1e-4F, 0.003F, 0.021F, 0.4F, 8.0F})
        for (const Activation then : all_activations) {
          const Product p(200, 32, size, 5);
          const GridRow grid = {step, 7, 0, 255};
          std::vector<uint8_t> found(p.sums.size()), expected(found.size());
          Int8Output output = p.output(false, then);
          output.bytes = found.data();
          output.grid = grid;
          write_int8_output(output);
          quantize(std::ssize(expected), p.expected(false, then).data(), grid, expected.data());
          ASSERT_EQ(found, expected) << isa << ", numbers of " << size << ", steps of " << step;
        }
  }
  set_isa("");
}

TEST(Int8Output, every_number_near_the_middle_of_two_integers_is_rounded_exactly) {
  constexpr int64_t count = 1 << 20;
  const GridRow grid = {0.02F, 9, 0, 255};
  std::vector<int32_t> sums(count), weight_sums(32);
  std::iota(sums.begin(), sums.end(), -count / 2);
  const std::vector<float> scales(32, 16.0F / count), bias(32);
  const int32_t zero_point = 0;
  const float x_scale = 1;
  Int8Output output = {.rows = count / 32,
                       .columns = 32,
                       .sums = sums.data(),
                       .ld_sums = 32,
                       .zero_points = &zero_point,
                       .x_scales = &x_scale,
                       .weight_sums = weight_sums.data(),
                       .scales = scales.data(),
                       .bias = bias.data(),
                       .then = Activation::gelu,
                       .grid = grid,
                       .ldy = 32};
  for (const std::string& isa : available_isas()) {
    set_isa(isa);
    std::vector<float> x(count), y(count);
    std::vector<uint8_t> found(count), expected(count);
    for (int64_t i = 0; i < count; ++i) x[i] = static_cast<float>(sums[i]) * (16.0F / count);
    activation_forward(Activation::gelu, count, x.data(), y.data());
    quantize(count, y.data(), grid, expected.data());
    output.bytes = found.data();
    write_int8_output(output);
    EXPECT_EQ(found, expected) << isa;
  }
  set_isa("");
}

}  // namespace
}  // namespace espalier::kernels
