// SPDX-License-Identifier: Apache-2.0
// AVX-512 BF16: tiles of up to 12 rows by 32 columns stay in 24 registers over the whole contraction, so a product is
// written once.
#include "core/kernels/gemm_bf16_native.h"

#if defined(__x86_64__)
// g++ 12 takes the undefined pass-through operands inside its own intrinsics for uninitialised variables.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#pragma GCC diagnostic ignored "-Wuninitialized"
#endif
#include <immintrin.h>

#include "core/kernels/avx512_tiles.h"

#define ESPALIER_AVX512_BF16 __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"), always_inline)) inline

namespace espalier::kernels {
namespace {

ESPALIER_AVX512_BF16 void store_half(const Bf16Product& g, int64_t at, __m512 sum, __mmask16 mask) {
  if (g.c16 == nullptr) {
    if (g.accumulate) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(mask, g.c + at));
    _mm512_mask_storeu_ps(g.c + at, mask, sum);
    return;
  }
  if (g.accumulate) {
    const __m256i old = _mm256_maskz_loadu_epi16(mask, g.c16 + at);
    sum = _mm512_add_ps(sum, _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(old), 16)));
  }
  _mm256_mask_storeu_epi16(g.c16 + at, mask, reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(sum)));
}

// As _mm512_dpbf16_ps. With the intrinsic, or without unrolling the loop over rows early, g++ 12 copies the sums around
// or keeps them in memory, at half the speed.
ESPALIER_AVX512_BF16 void add_products(__m512& sum, __m512i pair, __m512i pairs) {
  __asm__("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(pair), "v"(pairs));
}

template <int Rows>
ESPALIER_AVX512_BF16 void tile(const Bf16Product& g, int64_t row, int64_t column, const uint32_t* b, __mmask16 low,
                               __mmask16 high) {
  __m512 sum[Rows][2];
  const __m512 bias0 = g.bias != nullptr ? _mm512_maskz_loadu_ps(low, g.bias + column) : _mm512_setzero_ps();
  const __m512 bias1 = g.bias != nullptr ? _mm512_maskz_loadu_ps(high, g.bias + column + 16) : _mm512_setzero_ps();
#pragma GCC unroll 12
  for (int r = 0; r < Rows; ++r) {
    sum[r][0] = bias0;
    sum[r][1] = bias1;
  }
  for (int64_t p = 0; p < g.pairs; ++p, b += panel_columns) {
    const uint32_t* const a = g.a + row * g.a_row + g.at(p);
    const __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 16);
#pragma GCC unroll 12
    for (int r = 0; r < Rows; ++r) {
      const __m512i x = _mm512_set1_epi32(static_cast<int>(a[r * g.a_row]));
      add_products(sum[r][0], x, b0);
      add_products(sum[r][1], x, b1);
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < Rows; ++r) {
    const int64_t at = (row + r) * g.ldc + column;
    store_half(g, at, sum[r][0], low);
    if (high != 0) store_half(g, at + 16, sum[r][1], high);
  }
}

template <int Rows>
__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) void rows(const Bf16Product& g, int64_t row,
                                                                          int64_t column, const uint32_t* b,
                                                                          __mmask16 low, __mmask16 high) {
  tile<Rows>(g, row, column, b, low, high);
}

using Rows = void (*)(const Bf16Product&, int64_t, int64_t, const uint32_t*, __mmask16, __mmask16);
constexpr Rows row_kernels[] = {nullptr, rows<1>, rows<2>, rows<3>,  rows<4>,  rows<5>, rows<6>,
                                rows<7>, rows<8>, rows<9>, rows<10>, rows<11>, rows<12>};

}  // namespace

__attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16"))) void store_block_avx512(const Bf16Product& g,
                                                                                        int64_t row, int64_t rows,
                                                                                        int64_t column,
                                                                                        const float* block) noexcept {
  const PanelColumns c(g.n - column);
  const __m512 bias0 = g.bias != nullptr ? _mm512_maskz_loadu_ps(c.low, g.bias + column) : _mm512_setzero_ps();
  const __m512 bias1 = g.bias != nullptr ? _mm512_maskz_loadu_ps(c.high, g.bias + column + 16) : _mm512_setzero_ps();
  for (int64_t i = 0; i < rows; ++i) {
    const float* const from = block + i * panel_columns;
    const int64_t at = (row + i) * g.ldc + column;
    store_half(g, at, _mm512_add_ps(_mm512_loadu_ps(from), bias0), c.low);
    if (c.high != 0) store_half(g, at + 16, _mm512_add_ps(_mm512_loadu_ps(from + 16), bias1), c.high);
  }
}

void gemm_bf16_avx512(const Bf16Product& g) noexcept {
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const PanelColumns c(g.n - column);
    const uint32_t* const b = g.b + column * g.pairs;
    for (int64_t row = 0; row < g.m;) {
      const int64_t count = rows_of_tile(g.m - row);
      row_kernels[count](g, row, column, b, c.low, c.high);
      row += count;
    }
  }
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
void gemm_bf16_avx512(const Bf16Product&) noexcept {}
void store_block_avx512(const Bf16Product&, int64_t, int64_t, int64_t, const float*) noexcept {}
}  // namespace espalier::kernels

#endif
