// SPDX-License-Identifier: Apache-2.0
#include "data/text/holdout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace espalier {
namespace {

std::vector<bool> taken(double share, uint64_t seed, const std::vector<int32_t>& labels) {
  Holdout holdout(share, seed);
  std::vector<bool> all(labels.size());
  for (size_t i = 0; i < labels.size(); ++i) all[i] = holdout.takes(labels[i]);
  return all;
}

TEST(Holdout, TakesItsShareOfEachClass) {
  std::vector<int32_t> labels(5000);
  for (size_t i = 0; i < labels.size(); i += 50) labels[i] = 1;
  for (const double share : {0.1, 0.15, 0.5, 0.75}) {
    const auto all = taken(share, 3, labels);
    double rare = 0, often = 0;
    for (size_t i = 0; i < labels.size(); ++i) (labels[i] == 1 ? rare : often) += all[i] ? 1 : 0;
    EXPECT_NEAR(rare, 100 * share, 1) << share;
    EXPECT_NEAR(often, 4900 * share, 1) << share;
  }
}

TEST(Holdout, DependsOnTheSeedAlone) {
  const std::vector<int32_t> labels(1000, 0);
  EXPECT_EQ(taken(0.1, 7, labels), taken(0.1, 7, labels));
  EXPECT_NE(taken(0.1, 7, labels), taken(0.1, 8, labels));
  EXPECT_EQ(std::ranges::count(taken(1e-9, 7, labels), true), 0);
}

// The distance from one to the next varies: no period in the file meets it always.
TEST(Holdout, HasNoPeriod) {
  const auto all = taken(0.1, 1, std::vector<int32_t>(1000, 0));
  std::vector<int> places(10);
  for (size_t i = 0; i < all.size(); ++i) places[i % 10] += all[i] ? 1 : 0;
  EXPECT_GT(std::ranges::count_if(places, [](int count) { return count > 0; }), 7);
}

}  // namespace
}  // namespace espalier
