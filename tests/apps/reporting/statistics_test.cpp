// SPDX-License-Identifier: Apache-2.0
// Intervals and tests against scipy and statsmodels (tests/golden/report_statistics.py).
#include "apps/reporting/statistics.h"

#include <algorithm>
#include <cmath>

#include "apps/training/timing.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

const golden::File& file() {
  static const golden::File file("report_statistics.txt");
  return file;
}

TEST(WilsonInterval, IsThatOfStatsmodels) {
  const auto& cases = file().at("wilson");
  for (size_t i = 0; i < cases.size(); i += 4) {
    const Interval interval = wilson_interval(std::lround(cases[i]), std::lround(cases[i + 1]));
    EXPECT_NEAR(interval.low, cases[i + 2], 1e-12) << cases[i] << " of " << cases[i + 1];
    EXPECT_NEAR(interval.high, cases[i + 3], 1e-12) << cases[i] << " of " << cases[i + 1];
  }
}

TEST(McNemar, IsThatOfStatsmodels) {
  const auto& cases = file().at("mcnemar");
  for (size_t i = 0; i < cases.size(); i += 3)
    EXPECT_NEAR(mcnemar_p_value(std::lround(cases[i]), std::lround(cases[i + 1])), cases[i + 2], 1e-9)
        << cases[i] << " and " << cases[i + 1];
}

TEST(Bootstrap, HasTheIntervalOfAMean) {
  constexpr int64_t count = 872, right = 782;
  const auto mean = [&](std::span<const int64_t> rows) {
    EXPECT_EQ(std::ssize(rows), count);
    EXPECT_TRUE(std::ranges::all_of(rows, [&](int64_t row) { return row >= 0 && row < count; }));
    return static_cast<double>(std::ranges::count_if(rows, [&](int64_t row) { return row < right; })) / count;
  };
  const std::vector<double> means = bootstrap(count, 1000, 0, mean);
  EXPECT_EQ(means, bootstrap(count, 1000, 0, mean)) << "the seed decides";
  EXPECT_NE(means, bootstrap(count, 1000, 1, mean));
  const Interval interval = percentile_interval(means);
  const double p = static_cast<double>(right) / count, half = 1.96 * std::sqrt(p * (1 - p) / count);
  EXPECT_NEAR(interval.low, p - half, 0.003);
  EXPECT_NEAR(interval.high, p + half, 0.003);
  EXPECT_TRUE(std::isnan(percentile_interval({}).low));
  EXPECT_TRUE(std::isnan(percentile_interval({1, NAN}).high));
}

TEST(Percentile, IsTheNearestRank) {
  const std::vector<double> values = {5, 1, 4, 2, 3};
  EXPECT_EQ(percentile(values, 50), 3);
  EXPECT_EQ(percentile(values, 20), 1);
  EXPECT_EQ(percentile(values, 21), 2);
  EXPECT_EQ(percentile(values, 99), 5);
  EXPECT_EQ(percentile({7}, 1), 7);
}

TEST(ParetoFront, HasWhatNoOtherBeats) {
  EXPECT_EQ(pareto_front({1, 2, 3}, {3, 2, 1}), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(pareto_front({1, 2, 3}, {3, 1, 2}), (std::vector<size_t>{0, 2}));
  EXPECT_EQ(pareto_front({1, 1}, {2, 2}), (std::vector<size_t>{0, 1})) << "equals do not beat each other";
  EXPECT_EQ(pareto_front({1, 1}, {2, 3}), (std::vector<size_t>{1}));
}

}  // namespace
}  // namespace espalier
