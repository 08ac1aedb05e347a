// SPDX-License-Identifier: Apache-2.0
// The values themselves are pinned by the golden orders in loader_test.cpp.
#include "data/text/splitmix.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <vector>

namespace espalier {
namespace {

TEST(SplitMix, EveryOrderOfFourIsEquallyLikely) {
  std::vector<int64_t> counts(256);
  for (uint64_t stream = 0; stream < 24000; ++stream) {
    std::vector<int> items = {0, 1, 2, 3};
    SplitMix(5, stream).shuffle(items);
    ++counts[items[0] * 64 + items[1] * 16 + items[2] * 4 + items[3]];
  }
  double chi_squared = 0;
  int64_t orders = 0;
  for (const int64_t count : counts) {
    if (count == 0) continue;
    ++orders;
    chi_squared += static_cast<double>((count - 1000) * (count - 1000)) / 1000;
  }
  EXPECT_EQ(orders, 24);
  EXPECT_LT(chi_squared, 49.7);  // 23 degrees of freedom, p = 0.001; the seed is fixed
}

TEST(SplitMix, RangeReductionIsUnbiased) {
  // With a bound of 3 * 2^62 a plain remainder would give half of all draws to the first third.
  SplitMix random(1, 0);
  const uint64_t third = uint64_t{1} << 62;
  std::array<int64_t, 3> counts{};
  for (int i = 0; i < 30000; ++i) ++counts[random.below(3 * third) / third];
  for (const int64_t count : counts) EXPECT_NEAR(static_cast<double>(count), 10000, 400);
}

}  // namespace
}  // namespace espalier
