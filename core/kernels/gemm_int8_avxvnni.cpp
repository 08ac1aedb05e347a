// SPDX-License-Identifier: Apache-2.0
// AVX-VNNI: dot products of four bytes in vectors of 256 bits and 16 registers, for CPUs without AVX-512. The same
// instruction in AVX-512's encoding makes the twin that tests this source on CPUs that have only that one.
#include "core/kernels/gemm_int8_native.h"
#include "core/kernels/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#define ESPALIER_AVX2 __attribute__((target("avx2"), always_inline)) inline

namespace espalier::kernels {
namespace {

enum class Encoding { vex, evex };

constexpr int64_t most_rows = 3;            // of a tile
constexpr int vectors = panel_columns / 8;  // of a tile's columns: 12 sums, three rows and a column fill the registers

// sum += the products of four bytes of each lane.
template <Encoding E>
ESPALIER_AVX2 void add_products(__m256i& sum, __m256i bytes, __m256i signed_bytes) {
  if constexpr (E == Encoding::vex)
    __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(bytes), "x"(signed_bytes));
  else
    __asm__("%{evex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(bytes), "x"(signed_bytes));
}

// R rows of A with a panel of B.
template <Encoding E, int R>
__attribute__((target("avx2"))) void tile(const Int8Product& g, const uint8_t* a, const uint32_t* b, int32_t* sums) {
  __m256i sum[R][vectors];
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) sum[r][v] = _mm256_setzero_si256();
  for (int64_t q = 0; q < g.quads; ++q, b += panel_columns) {
    const uint8_t* const x = a + 4 * g.at(q);
    _mm_prefetch(reinterpret_cast<const char*>(b + prefetch_distance), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(b + prefetch_distance + 16), _MM_HINT_T0);
    __m256i row[R];
#pragma GCC unroll 3
    for (int r = 0; r < R; ++r) {
      int quad;
      std::memcpy(&quad, x + r * g.lda, sizeof quad);
      row[r] = _mm256_set1_epi32(quad);
    }
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) {
      const __m256i column = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b) + v);
#pragma GCC unroll 3
      for (int r = 0; r < R; ++r) add_products<E>(sum[r][v], row[r], column);
    }
  }
#pragma GCC unroll 3
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v)
      _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + r * panel_columns) + v, sum[r][v]);
}

template <Encoding E>
void product(const Int8Product& g) {
  constexpr decltype(&tile<E, 1>) by_rows[] = {tile<E, 1>, tile<E, 2>, tile<E, 3>};
  alignas(32) int32_t sums[most_rows * panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns)
    for (int64_t row = 0, rows = 0, left = (g.m + most_rows - 1) / most_rows; left > 0; row += rows, --left) {
      rows = (g.m - row + left - 1) / left;  // as evenly as can be: a single row waits for its own sums
      by_rows[rows - 1](g, g.a + row * g.lda, g.b + column * g.quads, sums);
      put_sums(g, row, rows, column, sums);
    }
}

}  // namespace

bool avx_vnni_works() {
  if (!has_avx_vnni()) return false;
  static const bool works = agrees_with_emulation(gemm_int8_avx_vnni);
  return works;
}

void gemm_int8_avx_vnni(const Int8Product& g) noexcept { product<Encoding::vex>(g); }
void gemm_int8_avx_vnni_twin(const Int8Product& g) noexcept { product<Encoding::evex>(g); }

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
bool avx_vnni_works() { return false; }
void gemm_int8_avx_vnni(const Int8Product&) noexcept {}
void gemm_int8_avx_vnni_twin(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
