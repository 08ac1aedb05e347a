// SPDX-License-Identifier: Apache-2.0
// Ticks stand at round numbers, some of them, and no more than were asked for.
#include "apps/reporting/axis.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

namespace espalier {
namespace {

using Ticks = std::vector<double>;

// The first digit of a number that has only one.
double only_digit(double value) {
  const double digit = std::abs(value) / std::pow(10, std::floor(std::log10(std::abs(value)) + 1e-9));
  return std::abs(digit - std::round(digit)) < 1e-9 ? std::round(digit) : 0;
}

TEST(LinearTicks, AreRound) {
  EXPECT_EQ(linear_ticks(0.31, 0.58, 7), (Ticks{0.35, 0.4, 0.45, 0.5, 0.55}));
  EXPECT_EQ(linear_ticks(83.2, 91.7, 7), (Ticks{84, 86, 88, 90}));
  EXPECT_EQ(linear_ticks(-1, 1, 5), (Ticks{-1, -0.5, 0, 0.5, 1}));
  EXPECT_EQ(linear_ticks(4, 4, 5), (Ticks{4}));
  for (double low = -2.7; low < 1000; low = low * 1.7 + 5)
    for (double width = 1e-4; width < 1e5; width *= 3.3)
      for (const int most : {3, 5, 9}) {
        const Ticks ticks = linear_ticks(low, low + width, most);
        ASSERT_GE(ticks.size(), 1U) << low << " " << width;
        ASSERT_LE(ticks.size(), most);
        for (size_t i = 1; i < ticks.size(); ++i) {
          const double digit = only_digit(std::round((ticks[i] - ticks[i - 1]) * 1e6) * 1e-6);
          EXPECT_TRUE(digit == 1 || digit == 2 || digit == 5) << ticks[i - 1] << " to " << ticks[i];
        }
        EXPECT_GE(ticks.front(), low - 1e-9);
        EXPECT_LE(ticks.back(), low + width + 1e-9);
      }
}

TEST(LogTicks, AreRound) {
  EXPECT_EQ(log_ticks(15, 110, 9), (Ticks{20, 50, 100}));
  EXPECT_EQ(log_ticks(17, 95, 9), (Ticks{20, 30, 50, 70}));
  EXPECT_EQ(log_ticks(0.03, 0.6, 9), (Ticks{0.05, 0.1, 0.2, 0.5}));
  EXPECT_EQ(log_ticks(1, 1e6, 9), (Ticks{1, 10, 100, 1000, 1e4, 1e5, 1e6}));
  EXPECT_EQ(log_ticks(101, 119, 9), (Ticks{102, 104, 106, 108, 110, 112, 114, 116, 118})) << "linear in a narrow range";
  for (double low = 1e-3; low < 1e5; low *= 2.3)
    for (double factor = 8; factor < 1e9; factor *= 3) {
      const Ticks ticks = log_ticks(low, low * factor, 6);
      ASSERT_LE(ticks.size(), 6U);
      ASSERT_GE(ticks.size(), 2U) << low << " to " << low * factor;
      for (const double v : ticks) EXPECT_GT(only_digit(v), 0) << v;
    }
}

TEST(TickText, IsShort) {
  EXPECT_EQ(tick_text(0.35), "0.35");
  EXPECT_EQ(tick_text(-0.0), "0");
  EXPECT_EQ(tick_text(2500), "2500");
  EXPECT_EQ(tick_text(20000), "20,000");
  EXPECT_EQ(tick_text(-1234567), "-1,234,567");
  EXPECT_EQ(tick_text(0.1 + 0.2), "0.3");
}

TEST(Axis, PlacesValuesBetweenItsEnds) {
  const Axis y(Scale::linear, 0, 10, 300, 20), x(Scale::logarithmic, 1, 100, 0, 200);
  EXPECT_NEAR(y.at(5), 160, 1e-9);
  EXPECT_GT(y.at(0), y.at(10)) << "upwards";
  EXPECT_NEAR(x.at(10), 100, 1e-9);
  for (const double v : x.ticks(9)) EXPECT_TRUE(x.at(v) >= 0 && x.at(v) <= 200) << v;
  const Axis alone(Scale::logarithmic, 7, 7, 0, 200);
  EXPECT_NEAR(alone.at(7), 100, 1e-9);
  EXPECT_FALSE(alone.ticks(5).empty());
  EXPECT_NEAR(Axis(Scale::linear, 0, 0, 0, 200).at(0), 100, 1e-9);
}

}  // namespace
}  // namespace espalier
