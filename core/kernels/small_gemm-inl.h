// SPDX-License-Identifier: Apache-2.0
// Small dense products for attention, compiled once per instruction set: C[m, n] (+)= A[m, k] B[k, n] with n a multiple
// of the vector length, A read with any two strides (so a transpose costs nothing), B and C row-major.
#if defined(ESPALIER_KERNELS_SMALL_GEMM_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_SMALL_GEMM_INL_H
#undef ESPALIER_KERNELS_SMALL_GEMM_INL_H
#else
#define ESPALIER_KERNELS_SMALL_GEMM_INL_H
#endif

#include <utility>

#include "hwy/cache_control.h"

#include "core/kernels/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

template <class T>
struct SmallGemm {
  int64_t m, n, k;
  const T* a;
  int64_t a_row, a_k;  // element (i, p) of A is a[i * a_row + p * a_k]
  const T* b;
  int64_t ldb;
  T* c;
  int64_t ldc;
  bool accumulate;
  const int32_t* index = nullptr;  // row p of B meets column index[p] of A; null: column p
};

// Rows i … i + R, columns j … j + N vectors, kept in registers over all of k.
template <int R, int N, class T>
HWY_INLINE void small_gemm_tile(const SmallGemm<T>& g, int64_t i, int64_t j) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  constexpr int vectors_of_a_line = static_cast<int>(64 / sizeof(T) / hn::MaxLanes(d));
  hn::VFromD<decltype(d)> sum[R][N];
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < N; ++v)
      sum[r][v] = g.accumulate ? hn::LoadU(d, g.c + (i + r) * g.ldc + j + v * lanes) : hn::Zero(d);
  const T* HWY_RESTRICT a = g.a + i * g.a_row;
  const T* HWY_RESTRICT b = g.b + j;
  for (int64_t p = 0; p < g.k; ++p, b += g.ldb) {
    const T* const at = a + (g.index != nullptr ? g.index[p] : p) * g.a_k;
    // A weight that one sentence meets comes from memory; beyond the end is harmless. Each cache line once.
    for (int v = 0; v < N; v += vectors_of_a_line) hwy::Prefetch(b + 48 * g.ldb + v * lanes);
    hn::VFromD<decltype(d)> row[N];
    for (int v = 0; v < N; ++v) row[v] = hn::LoadU(d, b + v * lanes);
    for (int r = 0; r < R; ++r) {
      const auto x = hn::Set(d, at[r * g.a_row]);
      for (int v = 0; v < N; ++v) sum[r][v] = hn::MulAdd(x, row[v], sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < N; ++v) hn::StoreU(sum[r][v], d, g.c + (i + r) * g.ldc + j + v * lanes);
}

template <int N, class T, size_t... R>
HWY_INLINE void small_gemm_rows(const SmallGemm<T>& g, int64_t rows, int64_t i, int64_t j, std::index_sequence<R...>) {
  ((rows == R + 1 ? small_gemm_tile<R + 1, N>(g, i, j) : void()), ...);
}

// Rows of a tile: as many sums as the registers hold, at least eight, which hide the latency of their additions. Tiles
// are as high as each other, or one row less: a tile of the last row alone would take as long as one of four.
template <int N, class T>
HWY_INLINE void small_gemm_columns(const SmallGemm<T>& g, int64_t j) {
  constexpr int most = N == 1 || (N == 2 && HWY_TARGET <= HWY_AVX3) ? 8 : N == 2 ? 6 : 4;
  for (int64_t i = 0, tiles = (g.m + most - 1) / most; tiles > 0; --tiles) {
    const int64_t rows = (g.m - i + tiles - 1) / tiles;
    small_gemm_rows<N>(g, rows, i, j, std::make_index_sequence<most>());
    i += rows;
  }
}

template <class T>
void small_gemm(const SmallGemm<T>& g) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  int64_t j = 0;
#if HWY_TARGET <= HWY_AVX3  // 32 registers
  for (; j + 4 * lanes <= g.n; j += 4 * lanes) small_gemm_columns<4>(g, j);
#endif
  for (; j + 2 * lanes <= g.n; j += 2 * lanes) small_gemm_columns<2>(g, j);
  for (; j < g.n; j += lanes) small_gemm_columns<1>(g, j);
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
