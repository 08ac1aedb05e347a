// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gemm_sparse.h"

#include <algorithm>
#include <array>
#include <utility>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gemm_sparse.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// R rows by two vectors of columns stay in registers over the whole contraction; their number decides R.
#if HWY_TARGET <= HWY_AVX3 || HWY_ARCH_ARM_A64
constexpr int64_t most_rows = 12;
#else
constexpr int64_t most_rows = 6;
#endif

// R rows from `row` on, columns of the panel that begins at `column`.
template <int R>
void rows(const SparseProduct& g, int64_t row, int64_t column, const Panel& panel) {
  const hn::CappedTag<float, panel_columns / 2> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  using V = hn::VFromD<decltype(d)>;
  constexpr auto lanes = static_cast<int64_t>(hn::MaxLanes(d));
  const int64_t columns = std::min(panel_columns, g.n - column);
  HWY_ALIGN float line[panel_columns] = {};
  if (g.bias != nullptr) std::copy_n(g.bias + column, columns, line);
  for (int64_t first = 0; first < columns; first += 2 * lanes) {
    V sum[R][2];
    HWY_UNROLL(12)  // this and those below: else g++ keeps the sums in memory
    for (int r = 0; r < R; ++r) {
      sum[r][0] = hn::Load(d, line + first);
      sum[r][1] = hn::Load(d, line + first + lanes);
    }
    const uint32_t* HWY_RESTRICT b = panel.values + first;
    for (const Run& run : panel.runs) {
      const float* HWY_RESTRICT a = g.a + row * g.lda + run.begin;
      for (int32_t k = run.begin; k < run.end; ++k, ++a, b += panel_columns) {
        const V b0 = hn::BitCast(d, hn::Load(du, b)), b1 = hn::BitCast(d, hn::Load(du, b + lanes));
        HWY_UNROLL(12)
        for (int r = 0; r < R; ++r) {
          const V x = hn::Set(d, a[r * g.lda]);
          sum[r][0] = hn::MulAdd(x, b0, sum[r][0]);
          sum[r][1] = hn::MulAdd(x, b1, sum[r][1]);
        }
      }
    }
    HWY_UNROLL(12)
    for (int r = 0; r < R; ++r) {
      float* const c = g.c + (row + r) * g.ldc + column + first;
      if (first + 2 * lanes <= columns) {
        hn::StoreU(sum[r][0], d, c);
        hn::StoreU(sum[r][1], d, c + lanes);
      } else {
        HWY_ALIGN float last[panel_columns];
        hn::Store(sum[r][0], d, last);
        hn::Store(sum[r][1], d, last + lanes);
        std::copy_n(last, columns - first, c);
      }
    }
  }
}

using Rows = void (*)(const SparseProduct&, int64_t, int64_t, const Panel&);
template <int... R>
constexpr std::array<Rows, sizeof...(R) + 1> row_kernels(std::integer_sequence<int, R...>) {
  return {nullptr, rows<R + 1>...};
}

void gemm_sparse(const SparseProduct& g) {
  static constexpr auto kernels = row_kernels(std::make_integer_sequence<int, most_rows>());
  for (int64_t row = 0; row < g.m;) {
    const int64_t left = g.m - row;
    const int64_t count = left >= 2 * most_rows ? most_rows : left > most_rows ? (left + 1) / 2 : left;
    for (int64_t column = 0; column < g.n; column += panel_columns)
      kernels[static_cast<size_t>(count)](g, row, column, g.panels[column / panel_columns]);
    row += count;
  }
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(gemm_sparse);

void gemm_sparse(const SparseProduct& product) noexcept { HWY_DYNAMIC_DISPATCH(gemm_sparse)(product); }
}  // namespace espalier::kernels
#endif
