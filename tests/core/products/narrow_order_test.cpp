// SPDX-License-Identifier: Apache-2.0
// Quads in groups whose products fit into 16 bits: whatever the order, it holds what was there, and the bound.
#include "core/products/narrow_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "core/kernels/isa.h"
#include "core/products/quantized_weight.h"
#include "core/rng.h"

namespace espalier {
namespace {

using kernels::panel_columns;

// Integers about 0, mostly small, as weights are.
std::vector<uint32_t> panel_of(int64_t quads, int most, uint64_t seed) {
  Rng rng(seed, 1);
  std::vector<uint32_t> panel(static_cast<size_t>(quads * panel_columns));
  for (size_t i = 0; i < 4 * panel.size(); ++i) {
    const double u = rng.uniform() + rng.uniform() + rng.uniform() - 1.5;
    reinterpret_cast<int8_t*>(panel.data())[i] = static_cast<int8_t>(std::lround(u / 1.5 * most));
  }
  return panel;
}

// The largest sum of |w| of one sign in a lane of quads first … first + count - 1.
int largest_sum(const std::vector<uint32_t>& panel, int64_t first, int64_t count) {
  const auto* const w = reinterpret_cast<const int8_t*>(panel.data());
  int most = 0;
  for (int64_t lane = 0; lane < 2 * panel_columns; ++lane) {
    int positive = 0, negative = 0;
    for (int64_t q = first; q < first + count; ++q)
      for (int64_t i = 0; i < 2; ++i) {
        const auto v = int{w[4 * q * panel_columns + 2 * lane + i]};
        (v > 0 ? positive : negative) += std::abs(v);
      }
    most = std::max({most, positive, negative});
  }
  return most;
}

TEST(NarrowOrder, GroupsFitAndHoldWhatWasThere) {
  for (const auto& [most, group] : {std::pair{63, 2}, {31, 4}, {15, 8}, {7, 8}, {1, 8}, {40, 2}})
    for (const int64_t quads : {0, 1, 7, 96, 150}) {
      const std::vector<uint32_t> before = panel_of(quads, most, 3);
      std::vector<uint32_t> after = before;
      std::vector<int32_t> index(static_cast<size_t>(quads));
      std::iota(index.begin(), index.end(), 0);
      const kernels::NarrowSums found = order_for_narrow_sums(quads, after.data(), index.data());
      if (quads > 0) { ASSERT_EQ(found.group, largest_sum(before, 0, quads) > 0 ? group : 8); }
      ASSERT_EQ(found.quads % found.group, 0);
      EXPECT_GE(found.quads, quads * 7 / 10 - found.group) << most;
      for (int64_t q = 0; q < found.quads; q += found.group) ASSERT_LE(largest_sum(after, q, found.group), 128);
      for (int64_t q = found.quads; q < quads; ++q) ASSERT_LE(largest_sum(after, q, 1), 128);
      std::vector<int32_t> sorted = index;
      std::ranges::sort(sorted);
      for (int32_t q = 0; q < quads; ++q) {
        ASSERT_EQ(sorted[q], q);
        ASSERT_TRUE(std::equal(after.begin() + q * panel_columns, after.begin() + (q + 1) * panel_columns,
                               before.begin() + index[q] * panel_columns));
      }
    }
}

TEST(NarrowOrder, APanelWithAQuadThatDoesNotFitStaysAsItIs) {
  std::vector<uint32_t> panel = panel_of(10, 20, 4);
  panel[5 * panel_columns + 3] = 0x4142U;  // 66 + 65
  const std::vector<uint32_t> before = panel;
  std::vector<int32_t> index(10);
  std::iota(index.begin(), index.end(), 0);
  EXPECT_EQ(order_for_narrow_sums(10, panel.data(), index.data()).group, 0);
  EXPECT_EQ(panel, before);
  panel[5 * panel_columns + 3] = 0x4040U;  // 64 + 64: just fits
  EXPECT_EQ(order_for_narrow_sums(10, panel.data(), index.data()).group, 2);
}

// Packed for AVX2, a weight of 7 bits still gives its matrix back.
TEST(NarrowOrder, AReorderedWeightGivesItsMatrixBack) {
  const std::string best = kernels::current_isa();
  const std::vector<std::string> names = kernels::available_isas();
  if (!std::ranges::count(names, "avx2")) GTEST_SKIP() << "this CPU has no AVX2";
  kernels::set_isa("avx2");
  Tensor w({70, 390}, DType::s8);
  const std::vector<uint32_t> values = panel_of(70 * 390 / 128 + 1, 63, 6);
  std::copy_n(reinterpret_cast<const int8_t*>(values.data()), w.size(), w.data<int8_t>());
  QuantizedWeight q(w, {Tensor({70}), Tensor::zeros({70}, DType::i32)}, 7, std::nullopt);
  EXPECT_EQ(q.panel(0).narrow.group, 2);
  EXPECT_NE(q.panel(0).index, nullptr) << "this test wants a panel that was reordered";
  q.drop_matrix();
  EXPECT_TRUE(std::ranges::equal(q.q().span<int8_t>(), w.span<int8_t>()));
  kernels::set_isa(best);
}

}  // namespace
}  // namespace espalier
