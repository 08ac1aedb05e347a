// SPDX-License-Identifier: Apache-2.0
// Integers and real numbers of a grid, to the bit, on every instruction set.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/kernels/fake_quant.h"
#include "core/kernels/isa.h"
#include "core/rng.h"

namespace espalier::kernels {
namespace {

class Quantize : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_isa(GetParam()); }
  void TearDown() override { set_isa(""); }
};

// Many numbers, those in the middle of two integers, and the ends.
std::vector<float> inputs(const GridRow& grid) {
  std::vector<float> x = {0.0F, -0.0F, 1e30F, -1e30F};
  for (int i = -600; i <= 600; ++i) {
    const float middle = (static_cast<float>(i) + 0.5F) * grid.scale;
    for (const float v : {middle, std::nextafter(middle, 1e9F), std::nextafter(middle, -1e9F)}) x.push_back(v);
  }
  Rng rng(2, 1);
  for (int i = 0; i < 1003; ++i) x.push_back(static_cast<float>(rng.uniform() * 400 - 200) * grid.scale);
  return x;
}

TEST_P(Quantize, IntegersAreThoseOfTheScalarSteps) {
  for (const GridRow& grid : {GridRow{0.0173F, 93, 0, 255}, {0.5F, 0, 0, 255}, {3e-4F, 255, 0, 255}}) {
    const std::vector<float> x = inputs(grid);
    std::vector<uint8_t> q(x.size());
    std::vector<float> back(x.size()), fake(x.size());
    const auto n = static_cast<int64_t>(x.size());
    quantize(n, x.data(), grid, q.data());
    dequantize(n, q.data(), grid, back.data());
    fake_quant(n, x.data(), grid, fake.data());
    for (size_t i = 0; i < x.size(); ++i) {
      const float steps = std::nearbyint(x[i] * (1.0F / grid.scale));
      const float whole = std::min(std::max(steps, static_cast<float>(grid.low - grid.zero_point)),
                                   static_cast<float>(grid.high - grid.zero_point));
      ASSERT_EQ(q[i], static_cast<int>(whole) + grid.zero_point) << x[i] << " in steps of " << grid.scale;
      ASSERT_EQ(back[i], whole * grid.scale);
      ASSERT_EQ(fake[i], back[i]);
    }
  }
}

TEST_P(Quantize, RangeIsThatOfAllNumbers) {
  for (const int64_t n : {1, 3, 4, 8, 17, 100}) {
    std::vector<float> x(static_cast<size_t>(n), 1.0F);
    float least = 0, most = 0;
    for (size_t at = 0; at < x.size(); ++at) {
      x[at] = -5;
      x[x.size() - 1 - at] = n > 1 ? 7.0F : -5.0F;
      range(n, x.data(), least, most);
      EXPECT_EQ(least, n > 1 && at == x.size() - 1 - at ? 1.0F : -5.0F) << n << ", " << at;
      EXPECT_EQ(most, n > 1 ? 7.0F : -5.0F) << n << ", " << at;
      x[at] = x[x.size() - 1 - at] = 1;
    }
    x.back() = std::numeric_limits<float>::quiet_NaN();
    range(n, x.data(), least, most);
    EXPECT_TRUE(std::isnan(least)) << n;
  }
}

INSTANTIATE_TEST_SUITE_P(Isa, Quantize, testing::ValuesIn(available_isas()), [](const auto& isa) { return isa.param; });

}  // namespace
}  // namespace espalier::kernels
