// SPDX-License-Identifier: Apache-2.0
// AVX2, for weights so small that products of bytes, added in 16 bits, cannot overflow: 1 + 1 / group multiplications
// for 32 products, against 2 of those that are widened first.
#include "core/kernels/gemm_int8_native.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#define ESPALIER_AVX2 __attribute__((target("avx2"), always_inline)) inline

namespace espalier::kernels {
namespace {

constexpr int64_t most_rows = 3;  // of a tile of 16 columns: two sums each in 16 and in 32 bits fit into the registers
constexpr int vectors_for(int rows) { return rows == 1 ? 4 : 2; }  // of 8 columns; a single row waits for its sums else

// Adds the products of R rows with `Group` quads of columns; `at` is the first quad's place in B.
template <int R, int Group, bool Indexed, int V>
ESPALIER_AVX2 void add_group(const Int8Product& g, const uint8_t* a, const uint32_t* b, int64_t at,
                             __m256i (&sum)[R][V]) {
  __m256i narrow[R][V];
#pragma GCC unroll 8
  for (int i = 0; i < Group; ++i) {
    const uint8_t* const x = a + 4 * (Indexed ? g.index[at + i] : at + i);
    const uint32_t* const quads = b + (at + i) * panel_columns;
    __m256i column[V];
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) {
      if (v % 2 == 0) _mm_prefetch(reinterpret_cast<const char*>(quads + prefetch_distance + 8 * v), _MM_HINT_T0);
      column[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(quads) + v);
    }
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
      int quad;
      std::memcpy(&quad, x + r * g.lda, sizeof quad);
      const __m256i row = _mm256_set1_epi32(quad);
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) {
        const __m256i products = _mm256_maddubs_epi16(row, column[v]);
        narrow[r][v] = i == 0 ? products : _mm256_add_epi16(narrow[r][v], products);
      }
#pragma GCC unroll 4
      for (int v = 0; v < V; ++v) __asm__("" : "+x"(narrow[r][v]));  // g++ 12 would make all products first, and spill
    }
  }
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < V; ++v) sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(narrow[r][v], ones));
}

// R rows of A with the first columns of `b`.
template <int R, int Group, bool Indexed>
__attribute__((target("avx2"))) void tile(const Int8Product& g, const uint8_t* a, const uint32_t* b, int32_t* sums) {
  constexpr int vectors = vectors_for(R);
  __m256i sum[R][vectors];
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[r][v] = _mm256_setzero_si256();
  int64_t q = 0;
  for (; q < g.narrow.quads; q += Group) add_group<R, Group, Indexed>(g, a, b, q, sum);
  for (; q < g.quads; ++q) add_group<R, 1, Indexed>(g, a, b, q, sum);
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + r * panel_columns) + v, sum[r][v]);
}

template <int Group, bool Indexed>
constexpr decltype(&tile<1, Group, Indexed>) tiles[] = {tile<1, Group, Indexed>, tile<2, Group, Indexed>,
                                                        tile<3, Group, Indexed>};

template <bool Indexed>
const auto* tiles_of(int64_t group) {
  return group == 2 ? tiles<2, Indexed> : group == 4 ? tiles<4, Indexed> : tiles<8, Indexed>;
}

}  // namespace

void gemm_int8_narrow(const Int8Product& g) noexcept {
  const auto* const by_rows = g.index != nullptr ? tiles_of<true>(g.narrow.group) : tiles_of<false>(g.narrow.group);
  alignas(32) int32_t sums[most_rows * panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const uint32_t* const b = g.b + column * g.quads;
    for (int64_t row = 0; row < g.m; row += most_rows) {
      const int64_t rows = std::min(most_rows, g.m - row);
      for (int64_t part = 0; part < panel_columns; part += 8 * vectors_for(static_cast<int>(rows)))
        by_rows[rows - 1](g, g.a + row * g.lda, b + part, sums + part);
      put_sums(g, row, rows, column, sums);
    }
  }
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
void gemm_int8_narrow(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
