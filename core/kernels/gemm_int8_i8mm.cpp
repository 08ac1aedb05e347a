// SPDX-License-Identifier: Apache-2.0
// AArch64 with i8mm: USMMLA adds the products of two rows and two columns of eight bytes, twice the work of a dot
// product. Highway 1.0 has no operation for it, so it is called by its name.
#include "core/kernels/gemm_int8_native.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <algorithm>
#include <cstring>

#include "core/kernels/isa.h"

#define ESPALIER_I8MM __attribute__((target("arch=armv8.2-a+i8mm")))

namespace espalier::kernels {
namespace {

constexpr int64_t most_rows = 10;    // of a tile: five pairs by eight columns leave registers for their operands
constexpr int64_t most_quads = 256;  // of a row that are laid out at a time, an even number

// Columns of a tile of pairs of rows, in fours: few pairs wait for their sums else.
constexpr int fours_for(int pairs) { return pairs == 1 ? 8 : pairs == 2 ? 4 : 2; }

// Two rows of A as the instruction reads them, to[quads / 2][2][8]: of each two quads those of the first row, then
// those of the second. A missing quad is zero.
void lay_out(const Int8Product& g, const uint8_t* upper, const uint8_t* lower, int64_t first, int64_t quads,
             uint8_t* to) {
  int64_t q = 0;
  if (g.index == nullptr)
    for (; q + 2 <= quads; q += 2)
      vst1q_u8(to + 8 * q, vcombine_u8(vld1_u8(upper + 4 * (first + q)), vld1_u8(lower + 4 * (first + q))));
  for (; q < quads; ++q) {
    uint8_t* const at = to + 16 * (q / 2) + 4 * (q % 2);
    std::memcpy(at, upper + 4 * g.at(first + q), 4);
    std::memcpy(at + 8, lower + 4 * g.at(first + q), 4);
  }
  if (quads % 2 == 0) return;
  std::memset(to + 8 * (quads - 1) + 4, 0, 4);
  std::memset(to + 8 * (quads - 1) + 12, 0, 4);
}

// sums[2 * Pairs][panel_columns] (+)= the products of the rows of x with the first columns of `b`.
template <int Pairs>
ESPALIER_I8MM void tile(bool begin, int64_t quads, const uint8_t* x, const uint32_t* b, int32_t* sums) {
  constexpr int fours = fours_for(Pairs);
  int32x4_t sum[Pairs][2 * fours] = {};  // of two rows and two columns each
  for (int64_t q = 0; q < quads; q += 2, x += 16, b += 2 * panel_columns) {
    uint8x16_t rows[Pairs];
#pragma GCC unroll 5
    for (int p = 0; p < Pairs; ++p) rows[p] = vld1q_u8(x + p * most_quads * 8);
    const uint32_t* const next = q + 1 < quads ? b + panel_columns : b;  // beyond the end it meets zeros
#pragma GCC unroll 8
    for (int f = 0; f < fours; ++f) {
      const uint32x4_t one = vld1q_u32(b + 4 * f), two = vld1q_u32(next + 4 * f);
      const int8x16_t left = vreinterpretq_s8_u32(vzip1q_u32(one, two)),
                      right = vreinterpretq_s8_u32(vzip2q_u32(one, two));
#pragma GCC unroll 5
      for (int p = 0; p < Pairs; ++p) {
        sum[p][2 * f] = vusmmlaq_s32(sum[p][2 * f], rows[p], left);
        sum[p][2 * f + 1] = vusmmlaq_s32(sum[p][2 * f + 1], rows[p], right);
      }
    }
  }
#pragma GCC unroll 5
  for (int p = 0; p < Pairs; ++p)
#pragma GCC unroll 8
    for (int f = 0; f < fours; ++f) {
      int32_t* const to = sums + 2 * p * panel_columns + 4 * f;
      const int64x2_t left = vreinterpretq_s64_s32(sum[p][2 * f]), right = vreinterpretq_s64_s32(sum[p][2 * f + 1]);
      int32x4_t upper = vreinterpretq_s32_s64(vzip1q_s64(left, right)),
                lower = vreinterpretq_s32_s64(vzip2q_s64(left, right));
      if (!begin) {
        upper = vaddq_s32(upper, vld1q_s32(to));
        lower = vaddq_s32(lower, vld1q_s32(to + panel_columns));
      }
      vst1q_s32(to, upper);
      vst1q_s32(to + panel_columns, lower);
    }
}

}  // namespace

void gemm_int8_i8mm(const Int8Product& g) noexcept {
  constexpr decltype(&tile<1>) by_pairs[] = {tile<1>, tile<2>, tile<3>, tile<4>, tile<5>};
  alignas(64) uint8_t x[most_rows / 2 * most_quads * 8];
  alignas(64) int32_t sums[most_rows * panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const uint32_t* const b = g.b + column * g.quads;
    for (int64_t row = 0, pairs = 0, tiles = (g.m + most_rows - 1) / most_rows; tiles > 0; row += 2 * pairs, --tiles) {
      pairs = ((g.m - row + 1) / 2 + tiles - 1) / tiles;  // as evenly as can be
      for (int64_t first = 0; first == 0 || first < g.quads; first += most_quads) {
        const int64_t quads = std::min(most_quads, g.quads - first);
        for (int64_t p = 0; p < pairs; ++p) {
          const uint8_t* const upper = g.a + (row + 2 * p) * g.lda;  // a last row alone is computed twice
          lay_out(g, upper, row + 2 * p + 1 < g.m ? upper + g.lda : upper, first, quads, x + p * most_quads * 8);
        }
        const int64_t columns = 4 * fours_for(static_cast<int>(pairs));
        for (int64_t part = 0; part < panel_columns; part += columns)
          by_pairs[pairs - 1](first == 0, quads, x, b + first * panel_columns + part, sums + part);
      }
      put_sums(g, row, std::min(2 * pairs, g.m - row), column, sums);
    }
  }
}

bool i8mm_works() {
  if (!has_i8mm()) return false;
  static const bool works = agrees_with_emulation(gemm_int8_i8mm);
  return works;
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
bool i8mm_works() { return false; }
void gemm_int8_i8mm(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
