// SPDX-License-Identifier: Apache-2.0
// The plain kernels and the reduced-precision variants of the fused ones, on every instruction set.
#include "core/kernels/elementwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <vector>

#include "core/kernels/activation.h"
#include "core/kernels/isa.h"
#include "core/rng.h"

namespace espalier::kernels {
namespace {

class KernelTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_isa(GetParam()); }
  void TearDown() override { set_isa(best_); }
  const std::string best_ = current_isa();
};

template <class T>
std::vector<T> random_numbers(int64_t count, uint64_t stream) {
  Rng rng(5, stream);
  std::vector<T> v(static_cast<size_t>(count));
  for (T& x : v) x = static_cast<T>(rng.uniform() * 2 - 1);
  return v;
}

TEST_P(KernelTest, rounds_to_bf16_as_the_scalar_type_does) {
  std::vector<float> x;
  Rng rng(1, 1);
  for (uint32_t high = 0; high < 0x10000; high += 7)  // ties, their neighbours, NaNs and infinities of every exponent
    for (const uint32_t low : {0x0000U, 0x0001U, 0x7fffU, 0x8000U, 0x8001U, 0xffffU})
      x.push_back(std::bit_cast<float>(high << 16 | low));
  for (int i = 0; i < 10'001; ++i) x.push_back(std::bit_cast<float>(rng.next()));
  std::vector<Bf16> y(x.size());
  convert(static_cast<int64_t>(x.size()), x.data(), y.data());
  for (size_t i = 0; i < x.size(); ++i)
    ASSERT_TRUE(y[i].bits == Bf16(x[i]).bits) << std::hex << std::bit_cast<uint32_t>(x[i]) << " " << y[i].bits;
}

TEST_P(KernelTest, widens_every_bf16) {
  std::vector<Bf16> x(0x10000);
  for (uint32_t i = 0; i < 0x10000; ++i) x[i].bits = static_cast<uint16_t>(i);
  std::vector<float> y(x.size());
  convert(static_cast<int64_t>(x.size()), x.data(), y.data());
  for (uint32_t i = 0; i < 0x10000; ++i) ASSERT_EQ(std::bit_cast<uint32_t>(y[i]), i << 16);
}

template <class T>
void check_add() {
  for (const int64_t n : {0, 1, 3, 16, 17, 100}) {
    const std::vector<T> x = random_numbers<T>(n, 1), y0 = random_numbers<T>(n + 1, 2);
    std::vector<T> y = y0;
    add(n, x.data(), y.data());
    for (size_t i = 0; i < x.size(); ++i) ASSERT_EQ(y[i], x[i] + y0[i]);
    EXPECT_EQ(y.back(), y0.back());
  }
}

TEST_P(KernelTest, adds) {
  check_add<float>();
#ifndef __wasm__  // without operations on doubles
  check_add<double>();
#endif
}

template <class X, class T>
void check_column_sums() {
  for (const int64_t cols : {1, 5, 16, 33})
    for (const bool accumulate : {false, true}) {
      constexpr int64_t rows = 11;
      const int64_t stride = cols + 2;
      std::vector<X> x;
      for (const float v : random_numbers<float>(rows * stride, 3)) x.push_back(static_cast<X>(v));
      std::vector<T> y = random_numbers<T>(cols + 1, 4);
      std::vector<T> expected = y;
      for (int64_t c = 0; c < cols; ++c) {  // in row order, so equal to the last bit
        T sum = accumulate ? expected[static_cast<size_t>(c)] : T{0};
        for (int64_t r = 0; r < rows; ++r) {
          if constexpr (std::is_same_v<X, Bf16>)
            sum += static_cast<float>(x[static_cast<size_t>(r * stride + c)]);
          else
            sum += x[static_cast<size_t>(r * stride + c)];
        }
        expected[static_cast<size_t>(c)] = sum;
      }
      if (!accumulate) std::fill_n(y.begin(), cols, std::numeric_limits<T>::quiet_NaN());
      column_sums(rows, cols, stride, x.data(), accumulate, y.data());
      EXPECT_EQ(y, expected) << cols;
    }
}

TEST_P(KernelTest, sums_columns_in_row_order) {
  check_column_sums<float, float>();
#ifndef __wasm__
  check_column_sums<double, double>();
#endif
  check_column_sums<Bf16, float>();
}

TEST_P(KernelTest, sums_squares) {
  for (const int64_t n : {0, 1, 15, 16, 4096, 4097, 100'003}) {
    const std::vector<float> x = random_numbers<float>(n, 6);
    double expected = 0;
    for (const float v : x) expected += static_cast<double>(v) * static_cast<double>(v);
    EXPECT_NEAR(sum_of_squares(n, x.data()), expected, 1e-6 * expected) << n;
  }
}

// The promise of activation.h, over the range where it matters and at its ends.
TEST_P(KernelTest, gelu_is_within_2e_7) {
  std::vector<float> x = {0.0F, -0.0F, 1e-30F, -1e-30F, 100.0F, -100.0F, 3e38F, -3e38F};
  for (int i = -15'000; i <= 15'000; ++i) x.push_back(static_cast<float>(i) * 1e-3F);
  const std::vector<float> ones(x.size(), 1);
  std::vector<float> y(x.size()), gx(x.size());
  activation_forward(Activation::gelu, static_cast<int64_t>(x.size()), x.data(), y.data());
  activation_backward(Activation::gelu, static_cast<int64_t>(x.size()), x.data(), ones.data(), false, gx.data());
  for (size_t i = 0; i < x.size(); ++i) {
    const auto v = static_cast<double>(x[i]);
    const double cdf = 0.5 * std::erfc(-v / std::sqrt(2.0)), density = std::exp(-v * v / 2) / std::sqrt(2 * M_PI);
    ASSERT_NEAR(static_cast<double>(y[i]), v * cdf, 2e-7 * std::max(1.0, std::abs(v * cdf))) << v;
    ASSERT_NEAR(static_cast<double>(gx[i]), cdf + v * density, 4e-7) << v;
  }
}

// At the ends of the range, too, where exponentials overflow.
TEST_P(KernelTest, activations_are_their_formulas) {
  std::vector<float> x = {0.0F, -0.0F, 1e-30F, -1e-30F, 100.0F, -100.0F, 1e15F, -1e15F, 3e38F, -3e38F};
  for (int i = -15'000; i <= 15'000; ++i) x.push_back(static_cast<float>(i) * 1e-3F);
  const std::vector<float> ones(x.size(), 1);
  std::vector<float> y(x.size()), gx(x.size());
  struct Row {
    Activation activation;
    double (*value)(double);
  };
  const auto relu = [](double v) { return std::max(v, 0.0); };
  const auto gelu_new = [](double v) {
    return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
  };
  const auto silu = [](double v) { return v / (1 + std::exp(-v)); };
  for (const Row& row :
       {Row{Activation::relu, relu}, Row{Activation::gelu_new, gelu_new}, Row{Activation::silu, silu}}) {
    activation_forward(row.activation, std::ssize(x), x.data(), y.data());
    activation_backward(row.activation, std::ssize(x), x.data(), ones.data(), false, gx.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const auto v = static_cast<double>(x[i]);
      const double expected = row.value(v);
      ASSERT_NEAR(static_cast<double>(y[i]), expected, 4e-7 * std::max(1.0, std::abs(expected)))
          << name_of(row.activation) << " of " << v;
      const double slope = std::abs(v) > 50 ? (v > 0 ? 1 : 0) : (row.value(v + 1e-6) - row.value(v - 1e-6)) / 2e-6;
      if (std::abs(v) > 1e-6) {
        ASSERT_NEAR(static_cast<double>(gx[i]), slope, 2e-6) << name_of(row.activation) << " of " << v;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Isas, KernelTest, testing::ValuesIn(available_isas()),
                         [](const auto& isa) { return isa.param; });

}  // namespace
}  // namespace espalier::kernels
