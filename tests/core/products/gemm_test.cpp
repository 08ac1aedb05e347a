// SPDX-License-Identifier: Apache-2.0
#include "core/products/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "core/parallel.h"
#include "core/profile.h"
#include "core/rng.h"

namespace espalier {
namespace {

// One product with its own operands, all rows a little longer than needed; what lies between them must stay.
template <class T>
struct Product {
  Gemm<T> g;
  std::vector<T> a, b, c, bias;
  static constexpr int64_t slack = 3;

  Product(int64_t m, int64_t n, int64_t k, bool transpose_a, bool transpose_b, bool accumulate, bool with_bias) {
    g = {.m = m,
         .n = n,
         .k = k,
         .lda = (transpose_a ? m : k) + slack,
         .transpose_a = transpose_a,
         .ldb = (transpose_b ? k : n) + slack,
         .transpose_b = transpose_b,
         .ldc = n + slack,
         .accumulate = accumulate};
    Rng rng(static_cast<uint64_t>(m * 1'000'000 + n * 1000 + k), 0);
    const auto fill = [&](std::vector<T>& v, int64_t size) {
      v.resize(static_cast<size_t>(size));
      for (T& x : v) x = static_cast<T>(rng.uniform() * 2 - 1);
    };
    fill(a, (transpose_a ? k : m) * g.lda);
    fill(b, (transpose_b ? n : k) * g.ldb);
    fill(c, m * g.ldc);
    fill(bias, n);
    if (!accumulate)
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) c[static_cast<size_t>(i * g.ldc + j)] = std::numeric_limits<T>::quiet_NaN();
    g.a = a.data(), g.b = b.data(), g.c = c.data();
    if (with_bias) g.bias = bias.data();
  }
  Product(const Product&) = delete;
  Product& operator=(const Product&) = delete;

  // C as three plain loops in f64 give it, slack included.
  std::vector<double> expected() const {
    std::vector<double> e(c.begin(), c.end());
    for (int64_t i = 0; i < g.m; ++i)
      for (int64_t j = 0; j < g.n; ++j) {
        double sum = g.bias != nullptr ? static_cast<double>(g.bias[j]) : 0;
        for (int64_t p = 0; p < g.k; ++p)
          sum += static_cast<double>(g.transpose_a ? g.a[p * g.lda + i] : g.a[i * g.lda + p]) *
                 static_cast<double>(g.transpose_b ? g.b[j * g.ldb + p] : g.b[p * g.ldb + j]);
        double& to = e[static_cast<size_t>(i * g.ldc + j)];
        to = (g.accumulate ? to : 0) + sum;
      }
    return e;
  }
  void expect(const std::vector<double>& e) const {
    const double tolerance = (std::is_same_v<T, double> ? 4e-16 : 2e-7) * std::sqrt(static_cast<double>(g.k) + 1) * 4;
    for (size_t i = 0; i < c.size(); ++i) {
      const bool slack_element = static_cast<int64_t>(i) % g.ldc >= g.n;
      if (slack_element)
        ASSERT_EQ(static_cast<double>(c[i]), e[i]) << "outside the product at " << i;
      else
        ASSERT_NEAR(static_cast<double>(c[i]), e[i], tolerance) << i << " of " << g.m << "x" << g.n << "x" << g.k;
    }
  }
};

template <class T>
void run(const std::vector<std::unique_ptr<Product<T>>>& list) {
  std::vector<Gemm<T>> products;
  std::vector<std::vector<double>> expected;
  for (const auto& p : list) {
    products.push_back(p->g);
    expected.push_back(p->expected());
  }
  gemm(std::span<const Gemm<T>>(products));
  for (size_t i = 0; i < list.size(); ++i) list[i]->expect(expected[i]);
}

template <class T>
class GemmTest : public testing::Test {};
using RealTypes = testing::Types<float, double>;
TYPED_TEST_SUITE(GemmTest, RealTypes);

// All of them at once: every kind of product in every odd size.
TYPED_TEST(GemmTest, every_kind_and_size_agrees_with_three_loops) {
  std::vector<std::unique_ptr<Product<TypeParam>>> list;
  for (const auto& [m, n, k] :
       {std::array{1, 1, 1}, {1, 7, 3}, {7, 1, 5}, {5, 3, 1}, {13, 17, 19}, {64, 64, 64}, {65, 33, 31}, {129, 200, 20}})
    for (int kind = 0; kind < 16; ++kind)
      list.push_back(std::make_unique<Product<TypeParam>>(m, n, k, (kind & 1) != 0, (kind & 2) != 0, (kind & 4) != 0,
                                                          (kind & 8) != 0));
  run(list);
}

TYPED_TEST(GemmTest, tiles_meet_without_gap_or_overlap) {
  for (int kind = 0; kind < 16; kind += 5) {
    std::vector<std::unique_ptr<Product<TypeParam>>> list;
    list.push_back(std::make_unique<Product<TypeParam>>(1301, 491, 9, (kind & 1) != 0, (kind & 2) != 0, (kind & 4) != 0,
                                                        (kind & 8) != 0));
    run(list);
  }
}

TYPED_TEST(GemmTest, an_empty_sum_is_zero) {
  for (const bool accumulate : {false, true})
    for (const bool bias : {false, true}) {
      std::vector<std::unique_ptr<Product<TypeParam>>> list;
      list.push_back(std::make_unique<Product<TypeParam>>(4, 5, 0, false, true, accumulate, bias));
      run(list);
    }
}

TYPED_TEST(GemmTest, empty_outputs_are_skipped) {
  std::vector<std::unique_ptr<Product<TypeParam>>> list;
  list.push_back(std::make_unique<Product<TypeParam>>(0, 5, 3, false, false, false, true));
  list.push_back(std::make_unique<Product<TypeParam>>(5, 0, 3, false, false, false, true));
  run(list);
  gemm(std::span<const Gemm<TypeParam>>());
}

TYPED_TEST(GemmTest, any_number_of_threads_gives_the_same_bits) {
  std::vector<std::vector<TypeParam>> results;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    Product<TypeParam> p(700, 500, 300, false, true, true, true);
    gemm(std::span<const Gemm<TypeParam>>(&p.g, 1));
    results.push_back(p.c);
  }
  set_threads(0);
  for (const auto& r : results) EXPECT_EQ(std::memcmp(r.data(), results[0].data(), r.size() * sizeof(TypeParam)), 0);
}

TEST(Gemm, counts_its_work_and_names_its_library) {
  const WorkCount before = work_count();
  Product<float> p(10, 20, 30, false, false, false, false);
  gemm(std::span<const Gemm<float>>(&p.g, 1));
  EXPECT_EQ(work_count().flop - before.flop, 2 * 10 * 20 * 30);
  EXPECT_EQ(work_count().bytes - before.bytes, 4 * (10 * 30 + 30 * 20 + 10 * 20));
  const std::string library = gemm_library();
  EXPECT_TRUE(library.starts_with("oneDNN") || library.starts_with("OpenBLAS")) << library;
}

}  // namespace
}  // namespace espalier
