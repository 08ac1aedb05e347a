// SPDX-License-Identifier: Apache-2.0
#include "core/rng.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "core/kernels/elementwise.h"
#include "core/kernels/isa.h"

namespace espalier {
namespace {

using Words = std::array<uint32_t, 4>;

// The known answers of the Random123 library for Philox4x32-10.
TEST(Philox, gives_the_known_answers) {
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({ones, ones, ones, ones}, {ones, ones}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),  // the digits of pi
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Rng, is_philox_of_position_stream_and_seed) {
  const uint64_t seed = 0x299f31d0a4093822, stream = 0x0370734413198a2e;
  Rng rng(seed, stream);
  for (uint32_t block = 0; block < 3; ++block)
    for (const uint32_t word : philox({block, 0, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}))
      EXPECT_EQ(rng.next(), word);
}

TEST(Rng, seeds_and_streams_differ) {
  std::set<uint32_t> firsts;
  for (const uint64_t seed : {0ULL, 1ULL, 1ULL << 32})
    for (const uint64_t stream : {0ULL, 1ULL, 1ULL << 32}) firsts.insert(Rng(seed, stream).next());
  EXPECT_EQ(firsts.size(), 9U);
}

TEST(Rng, uniform_and_normal_have_their_moments) {
  Rng rng(1, 2);
  constexpr int count = 100'000;
  double sum = 0, squares = 0, normal = 0, normal_squares = 0, fourth = 0;
  for (int i = 0; i < count; ++i) {
    const double u = rng.uniform(), n = rng.normal();
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    sum += u, squares += u * u, normal += n, normal_squares += n * n, fourth += n * n * n * n;
  }
  EXPECT_NEAR(sum / count, 1.0 / 2, 0.005);
  EXPECT_NEAR(squares / count, 1.0 / 3, 0.005);
  EXPECT_NEAR(normal / count, 0, 0.015);
  EXPECT_NEAR(normal_squares / count, 1, 0.02);
  EXPECT_NEAR(fourth / count, 3, 0.2);
}

// Multiplier of one element, the slow way: word column % 64 / 16 of counter 16 * block + column % 16, in blocks of 64
// columns of which each row has a whole number.
float multiplier(const Dropout& d, int64_t row, int64_t col, int64_t cols) {
  const auto block = static_cast<uint64_t>(row * ((cols + 63) / 64) + col / 64);
  const uint64_t counter = block * 16 + static_cast<uint64_t>(col % 16);
  const auto low = [](uint64_t v) { return static_cast<uint32_t>(v); };
  const Words words =
      philox({low(counter), low(counter >> 32), low(d.stream), low(d.stream >> 32)}, {low(d.seed), low(d.seed >> 32)});
  const double p = static_cast<double>(d.probability);
  return words[static_cast<size_t>(col % 64 / 16)] < p * 0x1p32 ? 0 : d.scale();
}

class DropoutTest : public testing::Test {
 protected:
  void TearDown() override { kernels::set_isa(best_); }
  const std::string best_ = kernels::current_isa();
};

TEST_F(DropoutTest, every_instruction_set_drops_what_the_scalar_generator_drops) {
  const int64_t far = int64_t{1} << 29;  // rows whose counters exceed 32 bits
  for (const std::string& isa : kernels::available_isas()) {
    SCOPED_TRACE(isa);
    kernels::set_isa(isa);
    for (const Dropout& d : {Dropout{0.1F, 1, 2}, Dropout{0.5F, 0xfedcba9876543210, 0x0123456789abcdef}})
      for (const int64_t cols : {1, 63, 64, 65, 200})
        for (const int64_t first : {int64_t{0}, far}) {
          const std::vector<float> ones(static_cast<size_t>(3 * cols), 1);
          std::vector<float> y(ones.size());
          // The kernel addresses row * cols; hand it pointers to what would be row 0.
          kernels::dropout_rows(d, cols, first, first + 3, ones.data() - first * cols, false, y.data() - first * cols);
          for (int64_t i = 0; i < 3 * cols; ++i)
            ASSERT_EQ(y[static_cast<size_t>(i)], multiplier(d, first + i / cols, i % cols, cols))
                << i << " of " << cols;
        }
  }
}

TEST_F(DropoutTest, keeps_its_share_and_the_mean) {
  for (const float p : {0.1F, 0.5F, 0.9F}) {
    constexpr int64_t rows = 1000, cols = 768;
    const std::vector<float> ones(rows * cols, 1);
    std::vector<float> y(ones.size());
    kernels::dropout_rows({p, 3, 4}, cols, 0, rows, ones.data(), false, y.data());
    const auto kept = static_cast<double>(std::count_if(y.begin(), y.end(), [](float v) { return v != 0; }));
    const double wanted = (1 - static_cast<double>(p)) * rows * cols;
    EXPECT_NEAR(kept, wanted, 5 * std::sqrt(wanted)) << p;
    for (const float v : y) ASSERT_TRUE(v == 0 || v == 1 / (1 - p));
  }
}

TEST_F(DropoutTest, masks_of_rows_streams_and_seeds_differ) {
  constexpr int64_t cols = 256;
  const std::vector<float> ones(2 * cols, 1);
  std::set<std::vector<float>> masks;
  for (const Dropout& d : {Dropout{0.5F, 1, 2}, Dropout{0.5F, 1, 3}, Dropout{0.5F, 2, 2}, Dropout{0.5F, 2, 1}}) {
    std::vector<float> y(ones.size());
    kernels::dropout_rows(d, cols, 0, 2, ones.data(), false, y.data());
    masks.insert({y.begin(), y.begin() + cols});
    masks.insert({y.begin() + cols, y.end()});
  }
  EXPECT_EQ(masks.size(), 8U);
}

TEST(Dropout, zero_is_off_and_thresholds_are_exact) {
  EXPECT_FALSE(Dropout{});
  EXPECT_TRUE((Dropout{0.1F}));
  EXPECT_EQ((Dropout{0.5F}.threshold()), 0x80000000U);
  EXPECT_EQ((Dropout{0.25F}.scale()), 1 / 0.75F);
}

}  // namespace
}  // namespace espalier
