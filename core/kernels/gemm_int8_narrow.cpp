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

constexpr int64_t most_rows = 3;  // of a tile: two sums each in 16 and in 32 bits fit into the registers
constexpr int vectors = 2;        // of 8 columns, in a tile

// Adds the products of R rows with `Group` quads of columns; `at` is the first quad's place in B.
template <int R, int Group>
ESPALIER_AVX2 void add_group(const Int8Product& g, const uint8_t* a, const uint32_t* b, int64_t at,
                             __m256i (&sum)[R][vectors]) {
  __m256i narrow[R][vectors];
#pragma GCC unroll 8
  for (int i = 0; i < Group; ++i) {
    const uint8_t* const x = a + 4 * g.at(at + i);
    const auto* const columns = reinterpret_cast<const __m256i*>(b + (at + i) * panel_columns);
    const __m256i low = _mm256_loadu_si256(columns), high = _mm256_loadu_si256(columns + 1);
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
      int quad;
      std::memcpy(&quad, x + r * g.lda, sizeof quad);
      const __m256i row = _mm256_set1_epi32(quad), p = _mm256_maddubs_epi16(row, low),
                    q = _mm256_maddubs_epi16(row, high);
      narrow[r][0] = i == 0 ? p : _mm256_add_epi16(narrow[r][0], p);
      narrow[r][1] = i == 0 ? q : _mm256_add_epi16(narrow[r][1], q);
      __asm__("" : "+x"(narrow[r][0]), "+x"(narrow[r][1]));  // g++ 12 would make all products first and spill the sums
    }
  }
  const __m256i ones = _mm256_set1_epi16(1);
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) sum[r][v] = _mm256_add_epi32(sum[r][v], _mm256_madd_epi16(narrow[r][v], ones));
}

// R rows of A with 16 columns of a panel.
template <int R, int Group>
__attribute__((target("avx2"))) void tile(const Int8Product& g, const uint8_t* a, const uint32_t* b, int32_t* sums) {
  __m256i sum[R][vectors];
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r) sum[r][0] = sum[r][1] = _mm256_setzero_si256();
  int64_t q = 0;
  for (; q < g.narrow.quads; q += Group) add_group<R, Group>(g, a, b, q, sum);
  for (; q < g.quads; ++q) add_group<R, 1>(g, a, b, q, sum);
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + r * panel_columns), sum[r][0]);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + r * panel_columns) + 1, sum[r][1]);
  }
}

using Tile = void (*)(const Int8Product&, const uint8_t*, const uint32_t*, int32_t*);
template <int Group>
constexpr Tile tiles[] = {tile<1, Group>, tile<2, Group>, tile<3, Group>};

}  // namespace

void gemm_int8_narrow(const Int8Product& g) noexcept {
  const Tile* const by_rows = g.narrow.group == 2 ? tiles<2> : g.narrow.group == 4 ? tiles<4> : tiles<8>;
  alignas(32) int32_t sums[most_rows * panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const uint32_t* const b = g.b + column * g.quads;
    const auto columns = static_cast<size_t>(std::min(panel_columns, g.n - column));
    for (int64_t row = 0; row < g.m; row += most_rows) {
      const int64_t rows = std::min(most_rows, g.m - row);
      for (int64_t half = 0; half < panel_columns; half += 8 * vectors)
        by_rows[rows - 1](g, g.a + row * g.lda, b + half, sums + half);
      for (int64_t r = 0; r < rows; ++r)
        std::copy_n(sums + r * panel_columns, columns, g.c + (row + r) * g.ldc + column);
    }
  }
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
void gemm_int8_narrow(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
