// SPDX-License-Identifier: Apache-2.0
#include "optim/schedule.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/golden/golden.h"

namespace espalier {
namespace {

TEST(Schedule, agrees_with_transformers) {
  const golden::File file("adamw.txt");
  for (const Decay kind : {Decay::linear, Decay::cosine, Decay::constant})
    for (const auto& [warmup, total] : {std::pair{0, 10}, {3, 20}, {1, 1}, {5, 5}}) {
      const Schedule schedule{.kind = kind, .peak = 2e-5, .warmup = warmup, .total = total};
      schedule.check();
      const std::string key = text_of(kind) + "_" + std::to_string(warmup) + "_" + std::to_string(total);
      ASSERT_EQ(file.at(key).size(), static_cast<size_t>(total));
      for (int64_t step = 0; step < total; ++step)
        EXPECT_NEAR(schedule.rate(step), file.at(key)[static_cast<size_t>(step)], 1e-19) << key << " at " << step;
    }
}

TEST(Schedule, never_goes_below_zero) {
  for (const Decay kind : {Decay::linear, Decay::cosine}) {
    const Schedule schedule{.kind = kind, .peak = 1, .warmup = 2, .total = 10};
    for (int64_t step = 10; step < 30; ++step) EXPECT_NEAR(schedule.rate(step), 0, 1e-15) << text_of(kind);
  }
}

TEST(Schedule, names_what_is_wrong) {
  const auto error = [](const Schedule& schedule) -> std::string {
    try {
      schedule.check();
    } catch (const Error& e) { return e.what(); }
    return "";
  };
  EXPECT_EQ(error({}), "");
  for (const double peak : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")})
    EXPECT_NE(error({.peak = peak}).find("learning rate"), std::string::npos) << peak;
  EXPECT_NE(error({.warmup = -1}), "");
  EXPECT_NE(error({.total = 0}), "");
}

}  // namespace
}  // namespace espalier
