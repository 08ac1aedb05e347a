// SPDX-License-Identifier: Apache-2.0
// Int8 products: the very integers of a plain loop on every instruction set, also where 16-bit sums would overflow.
#include "core/kernels/gemm_int8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "core/kernels/amx_product.h"
#include "core/kernels/gemm_int8_native.h"
#include "core/kernels/isa.h"
#include "core/products/narrow_order.h"
#include "core/rng.h"

namespace espalier::kernels {
namespace {

enum class Values { random, largest, either };  // either: the largest or, by chance, its opposite

struct Case {
  int64_t m, n, k;
  int most = 127;  // |w|
  Values values = Values::random;
  int64_t pruned = 0;  // that many neighbouring quads are zero, or not, in all rows of a panel
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.m << 'x' << c.n << 'x' << c.k << ", |w| to " << c.most << ", values " << static_cast<int>(c.values)
             << ", pruned " << c.pruned;
}

int64_t up_to(Rng& rng, int64_t most) {
  return std::min(most, static_cast<int64_t>(rng.uniform() * static_cast<double>(most + 1)));
}

// 255 and ±127 side by side are what saturates; rows of w alternate in sign.
std::vector<uint8_t> activations(Rng& rng, int64_t n, Values values) {
  std::vector<uint8_t> v(static_cast<size_t>(n));
  for (uint8_t& x : v)
    x = static_cast<uint8_t>(values == Values::random    ? up_to(rng, 255)
                             : values == Values::largest ? 255
                                                         : 255 * up_to(rng, 1));
  return v;
}
struct Weights {
  int64_t n = 0, k = 0;
  std::vector<int8_t> values;  // [n, k]
};
Weights weights(Rng& rng, const Case& c) {
  Weights w = {c.n, c.k, std::vector<int8_t>(static_cast<size_t>(c.n * c.k))};
  for (int64_t i = 0; i < std::ssize(w.values); ++i) {
    const int64_t sign = c.values == Values::largest ? i / c.k % 2 : up_to(rng, 1),
                  size = c.values == Values::random ? up_to(rng, c.most) : c.most;
    w.values[static_cast<size_t>(i)] = static_cast<int8_t>(sign == 0 ? std::min<int64_t>(size, 127) : -size);
  }
  return w;
}

// Sets groups of `group` quads to zero in all rows of a panel, so that they are left out; of the first panel all.
void prune(Rng& rng, Weights& w, int64_t group) {
  for (int64_t panel = 0; panel < w.n; panel += panel_columns)
    for (int64_t i = 0; i < w.k; i += 4 * group)
      if (rng.uniform() < (panel == 0 ? 1 : 0.6))
        for (int64_t r = panel; r < std::min(w.n, panel + panel_columns); ++r)
          std::fill(w.values.data() + r * w.k + i, w.values.data() + r * w.k + std::min(w.k, i + 4 * group), int8_t{0});
}

// Rows first … of w as a panel, without the groups of quads that are zero.
struct Panel {
  std::vector<uint32_t> values;
  std::vector<int32_t> index;
  NarrowSums narrow;

  Panel(const Weights& w, int64_t first, bool leave_out) {
    const int64_t quads = quads_of(w.k), group = gemm_int8_group();
    std::vector<uint32_t> all(static_cast<size_t>(quads * panel_columns));
    pack_rows_int8(std::min(panel_columns, w.n - first), w.k, w.values.data() + first * w.k, w.k, all.data());
    for (int64_t q = 0; q < quads; q += group) {
      const int64_t end = std::min(quads, q + group);
      const auto from = all.begin() + q * panel_columns, to = all.begin() + end * panel_columns;
      if (leave_out && std::all_of(from, to, [](uint32_t four) { return four == 0; })) continue;
      values.insert(values.end(), from, to);
      for (int64_t i = q; i < end; ++i) index.push_back(static_cast<int32_t>(i));
    }
    if (gemm_int8_narrows()) narrow = order_for_narrow_sums(std::ssize(index), values.data(), index.data());
  }
  bool in_place(int64_t quads) const { return std::ssize(index) == quads && std::ranges::is_sorted(index); }
};

template <class Kernel>
void check_product(const Case& t, const Kernel& kernel, uint64_t seed = 5) {
  const auto& [m, n, k, most, values, pruned] = t;
  Rng rng(seed, 1);
  const int64_t lda = 4 * quads_of(k) + 4;
  const auto a = activations(rng, m * lda, values);
  Weights w = weights(rng, t);
  if (pruned > 0) prune(rng, w, pruned);
  std::vector<int32_t> c(static_cast<size_t>(m * (n + 3)), -1);
  for (int64_t column = 0; column < n; column += panel_columns) {
    const Panel panel(w, column, pruned > 0);
    if (pruned > 0 && column == 0) { EXPECT_TRUE(panel.index.empty()); }
    kernel(Int8Product{.m = m,
                       .n = std::min(panel_columns, n - column),
                       .quads = std::ssize(panel.index),
                       .a = a.data(),
                       .lda = lda,
                       .index = panel.in_place(quads_of(k)) ? nullptr : panel.index.data(),
                       .group = gemm_int8_group(),
                       .b = panel.values.data(),
                       .bits = most <= 63 ? 7 : 8,
                       .narrow = panel.narrow,
                       .c = c.data() + column,
                       .ldc = n + 3});
  }
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n + 3; ++j) {
      int32_t sum = j < n ? 0 : -1;  // nothing is written behind a row
      for (int64_t p = 0; p < k && j < n; ++p)
        sum += a[static_cast<size_t>(i * lda + p)] * w.values[static_cast<size_t>(j * k + p)];
      ASSERT_EQ(c[static_cast<size_t>(i * (n + 3) + j)], sum) << t << " at " << i << ", " << j;
    }
}

// Dense, and with `pruned` neighbouring quads that are zero; and many that chance made.
template <class Kernel>
void check_products(const Kernel& kernel, int64_t pruned = 1) {
  for (const Values values : {Values::random, Values::largest})
    for (const int most : {127, 63, 31, 15, 7})
      for (const auto& [m, n, k] : {std::tuple<int64_t, int64_t, int64_t>{1, 1, 1},
                                    {5, 33, 0},
                                    {5, 33, 7},
                                    {13, 64, 128},
                                    {30, 47, 259},
                                    {7, 40, 2100}})
        for (const int64_t zeros : {int64_t{0}, k > 0 ? pruned : 0})
          check_product({m, n, k, most, values, zeros}, kernel);
  Rng rng(9, 1);
  for (uint64_t i = 0; i < 600; ++i) {
    Case c = {1 + up_to(rng, 26), 1 + up_to(rng, 69), 1 + up_to(rng, 150)};
    c.most = (1 << up_to(rng, 7)) - static_cast<int>(up_to(rng, 1));
    if (pruned > 1) c.most |= 64;  // a lone quad of zeros, left out, is nothing for tiles
    c.values = static_cast<Values>(up_to(rng, 2));
    c.pruned = up_to(rng, 1) * pruned;
    check_product(c, kernel, i);
  }
}

class Int8Kernel : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { set_isa(GetParam()); }
  void TearDown() override { set_isa(best_); }
  const std::string best_ = current_isa();
};

TEST_P(Int8Kernel, ProductsAreExact) {
  check_products([](const Int8Product& g) { gemm_int8(g); });
}

INSTANTIATE_TEST_SUITE_P(Isa, Int8Kernel, testing::ValuesIn(available_isas()),
                         [](const auto& tested) { return tested.param; });

TEST(Int8Amx, ProductsAreExact) {
  if (!has_amx_int8()) GTEST_SKIP() << "this CPU has no AMX";
  ASSERT_TRUE(amx_int8_works()) << "AMX is there but refused, or disagrees with its emulation";
  check_products([](const Int8Product& g) { gemm_int8_amx(g); }, tile_steps);
}

TEST(Int8Amx, ProductsAreExactOnEmulatedTiles) {
  const std::string best = current_isa();
  set_isa(available_isas().back());  // AVX2 packs quads in an order that is nothing for tiles
  check_products(
      [](const Int8Product& g) {
        EmulatedTiles<Int8Quads> tiles;
        int8_tiles(g, tiles);
      },
      tile_steps);
  set_isa(best);
}

TEST(Int8AvxVnni, ProductsAreExact) {
  if (!has_avx_vnni()) GTEST_SKIP() << "this CPU has no AVX-VNNI";
  ASSERT_TRUE(avx_vnni_works()) << "AVX-VNNI is there but disagrees with the emulation";
  check_products([](const Int8Product& g) { gemm_int8_avx_vnni(g); });
}

TEST(Int8AvxVnni, ProductsAreExactInTheEncodingOfAvx512) {
  if (!has_avx512_vnni()) GTEST_SKIP() << "this CPU has no AVX-512 VNNI";
  EXPECT_TRUE(agrees_with_emulation(gemm_int8_avx_vnni_twin));
  check_products([](const Int8Product& g) { gemm_int8_avx_vnni_twin(g); });
}

TEST(Int8Aarch64, TheBestKernelIsUsed) {
  EXPECT_EQ(i8mm_works(), has_i8mm()) << "i8mm is there but disagrees with the emulation";
  EXPECT_EQ(dotprod_works(), has_dotprod()) << "dot products are there but disagree with the emulation";
}

TEST(Int8Relaxed, ItsModuleIsUsed) {
  EXPECT_EQ(relaxed_dots_work(), has_relaxed_dots())
      << "relaxed dot products are there but disagree with the emulation";
}

TEST(Int8Check, AKernelThatErrsIsFound) {
  EXPECT_FALSE(agrees_with_emulation([](const Int8Product& g) noexcept {
    gemm_int8(g);
    g.c[(g.m - 1) * g.ldc + g.n - 1] += 1;
  }));
}

}  // namespace
}  // namespace espalier::kernels
