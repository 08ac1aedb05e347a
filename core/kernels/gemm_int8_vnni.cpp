// SPDX-License-Identifier: Apache-2.0
// AVX-512 VNNI: tiles of up to 12 rows by 32 columns stay in 24 registers over the whole contraction. Its dot product
// of four bytes does not saturate.
#include "core/kernels/gemm_int8_native.h"

#if defined(__x86_64__)
// g++ 12 takes the undefined pass-through operands inside its own intrinsics for uninitialised variables.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include <cstring>

#include "core/kernels/avx512_tiles.h"

#define ESPALIER_AVX512_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"), always_inline)) inline

namespace espalier::kernels {
namespace {

// As _mm512_dpbusd_epi32. With the intrinsic, or without unrolling the loop over rows early, g++ 12 copies the sums
// around or keeps them in memory, at half the speed.
ESPALIER_AVX512_VNNI void add_products(__m512i& sum, __m512i bytes, __m512i signed_bytes) {
  __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(bytes), "v"(signed_bytes));
}

// The products of Rows rows and a panel, added up in `Sets` sums each, in turn: with few rows, a sum would wait for its
// own last addition.
template <int Rows, int Sets>
ESPALIER_AVX512_VNNI void tile(const Int8Product& g, int64_t row, int64_t column, const uint32_t* b) {
  __m512i sum[Sets][Rows][2];
#pragma GCC unroll 4
  for (int s = 0; s < Sets; ++s)
#pragma GCC unroll 12
    for (int r = 0; r < Rows; ++r) sum[s][r][0] = sum[s][r][1] = _mm512_setzero_si512();
  const auto add_quad = [&](int64_t q, __m512i(&to)[Rows][2])
      __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"), always_inline)) {
    const uint8_t* const a = g.a + row * g.lda + 4 * g.at(q);
    const uint32_t* const columns = b + q * panel_columns;
    _mm_prefetch(reinterpret_cast<const char*>(columns + prefetch_distance), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(columns + prefetch_distance + 16), _MM_HINT_T0);
    const __m512i b0 = _mm512_loadu_si512(columns), b1 = _mm512_loadu_si512(columns + 16);
#pragma GCC unroll 12
    for (int r = 0; r < Rows; ++r) {
      int quad;
      std::memcpy(&quad, a + r * g.lda, 4);
      const __m512i x = _mm512_set1_epi32(quad);
      add_products(to[r][0], x, b0);
      add_products(to[r][1], x, b1);
    }
  };
  int64_t q = 0;
  for (; q + Sets <= g.quads; q += Sets)
#pragma GCC unroll 4
    for (int s = 0; s < Sets; ++s) add_quad(q + s, sum[s]);
  for (; q < g.quads; ++q) add_quad(q, sum[0]);
#pragma GCC unroll 4
  for (int s = 1; s < Sets; ++s)
#pragma GCC unroll 12
    for (int r = 0; r < Rows; ++r) {
      sum[0][r][0] = _mm512_add_epi32(sum[0][r][0], sum[s][r][0]);
      sum[0][r][1] = _mm512_add_epi32(sum[0][r][1], sum[s][r][1]);
    }
  const PanelColumns columns(g.n - column);
#pragma GCC unroll 12
  for (int r = 0; r < Rows; ++r) {
    int32_t* const c = g.c + (row + r) * g.ldc + column;
    _mm512_mask_storeu_epi32(c, columns.low, sum[0][r][0]);
    if (columns.high != 0) _mm512_mask_storeu_epi32(c + 16, columns.high, sum[0][r][1]);
  }
}

template <int Rows>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni"))) void rows(const Int8Product& g, int64_t row,
                                                                          int64_t column, const uint32_t* b) {
  tile<Rows, Rows == 1 ? 4 : Rows <= 4 ? 2 : 1>(g, row, column, b);
}

using Rows = void (*)(const Int8Product&, int64_t, int64_t, const uint32_t*);
constexpr Rows row_kernels[] = {nullptr, rows<1>, rows<2>, rows<3>,  rows<4>,  rows<5>, rows<6>,
                                rows<7>, rows<8>, rows<9>, rows<10>, rows<11>, rows<12>};

}  // namespace

void gemm_int8_vnni(const Int8Product& g) noexcept {
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const uint32_t* const b = g.b + column * g.quads;
    for (int64_t row = 0; row < g.m;) {
      const int64_t count = rows_of_tile(g.m - row);
      row_kernels[count](g, row, column, b);
      row += count;
    }
  }
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
void gemm_int8_vnni(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
