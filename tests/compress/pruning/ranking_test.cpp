// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "core/check.h"
#include "core/rng.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

using Flags = std::vector<std::vector<uint8_t>>;

TEST(Ranking, CountsRoundHalvesToEven) {
  EXPECT_EQ(count_of(0.3, 10), 3);
  EXPECT_EQ(count_of(0.25, 10), 2);
  EXPECT_EQ(count_of(0.35, 10), 4);
  EXPECT_EQ(count_of(0, 10), 0);
  EXPECT_EQ(count_of(0.99, 10), 10);
}

TEST(Ranking, LowestGoFirstAndAmongEqualsTheFirst) {
  const std::vector<RankedPool> pools = {{"a", {3, 1, 2, 1, 1}, 5}, {"b", {0, 9, 1, 9, 1}, 5}};
  EXPECT_EQ(keep_highest(pools, 0.4, false), (Flags{{1, 0, 1, 0, 1}, {0, 1, 0, 1, 1}}));
  EXPECT_EQ(keep_highest(pools, 0.4, true), (Flags{{1, 0, 1, 0, 0}, {0, 1, 1, 1, 1}}));
  EXPECT_EQ(keep_highest(pools, 0, true), (Flags{{1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}));
}

TEST(Ranking, TheTwoZerosAreEqual) {
  const std::vector<RankedPool> pools = {{"a", {0.0F, -0.0F, 0.0F, -0.0F, -1}, 5}};
  EXPECT_EQ(keep_highest(pools, 0.6, false), (Flags{{0, 0, 1, 1, 0}}));
}

TEST(Ranking, WhatIsPrunedAlreadyGoesFirst) {
  const std::vector<RankedPool> pools = {{"a", {-5, pruned_already, 2, pruned_already}, 4}};
  EXPECT_EQ(keep_highest(pools, 0.5, false), (Flags{{1, 0, 1, 0}}));
  EXPECT_EQ(keep_highest(pools, 0.75, false), (Flags{{0, 0, 1, 0}}));
}

// Against sorting everything.
TEST(Ranking, GlobalIsTheSortedOrder) {
  Rng rng(1, 2);
  for (int round = 0; round < 50; ++round) {
    std::vector<RankedPool> pools(3);
    std::vector<std::tuple<float, size_t, size_t>> order;
    for (size_t p = 0; p < 3; ++p) {
      const auto n = 1 + rng.next() % 40;
      pools[p].limit = static_cast<int64_t>(n);
      for (size_t u = 0; u < n; ++u) {
        const float few = static_cast<float>(rng.next() % 7) - 3;  // many ties, or none
        pools[p].scores.push_back(
            round % 2 == 0 ? few : few * std::exp(40 * static_cast<float>(rng.next() % 4096) / 4096 - 20));
        order.emplace_back(pools[p].scores.back(), p, u);
      }
    }
    const double amount = static_cast<double>(round) / 50;
    std::ranges::sort(order);
    Flags expected;
    for (const RankedPool& pool : pools) expected.emplace_back(pool.scores.size(), uint8_t{1});
    for (int64_t i = 0; i < count_of(amount, std::ssize(order)); ++i) {
      const auto& [score, p, u] = order[static_cast<size_t>(i)];
      expected[p][u] = 0;
    }
    EXPECT_EQ(keep_highest(pools, amount, true), expected) << round;
  }
}

TEST(Ranking, GlobalPassesOverPoolsAtTheirLimit) {
  const std::vector<RankedPool> pools = {{"a", {1, 2, 3}, 2}, {"b", {4, 5, 6}, 2}, {"c", {7, 8, 9}, 2}};
  EXPECT_EQ(keep_highest(pools, 0.34, true), (Flags{{0, 0, 1}, {0, 1, 1}, {1, 1, 1}}));
  EXPECT_EQ(keep_highest(pools, 0.55, true), (Flags{{0, 0, 1}, {0, 0, 1}, {0, 1, 1}}));
  expect_in(error_of<Error>([&] { keep_highest(pools, 0.8, true); }), "would remove 7 of 9, of which at most 6 may go");
}

TEST(Ranking, LayersThatWouldBeEmptyAndNansAreErrors) {
  expect_in(error_of<Error>([] {
              keep_highest(std::vector<RankedPool>{{"heads of bert.encoder.layer.0", {1, 2}, 1}}, 0.9, false);
            }),
            "amount 0.9 would remove 2 of the 2 heads of bert.encoder.layer.0, where at most 1 may go");
  expect_in(error_of<Error>([] {
              keep_highest(std::vector<RankedPool>{{"weights of w", {1, std::nanf("")}, 2}}, 0.5, false);
            }),
            "weights of w has the score nan");
}

TEST(Ranking, NOfM) {
  const auto kept = [](std::vector<float> scores, int64_t n, int64_t m) {
    return keep_n_of_m({"weights of w", std::move(scores)}, n, m);
  };
  EXPECT_EQ(kept({1, 4, 3, 2, 5, 5, 5, 5}, 2, 4), (std::vector<uint8_t>{0, 1, 1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(kept({pruned_already, -4, -3}, 1, 3), (std::vector<uint8_t>{0, 0, 1}));
  for (const float bad : {std::nanf(""), HUGE_VALF})
    expect_in(error_of<Error>([&] { kept({1, bad, 3, 2}, 2, 4); }), "weights of w has the score");
}

}  // namespace
}  // namespace espalier
