// SPDX-License-Identifier: Apache-2.0
// AArch64 with dot products of bytes. SDOT takes two signed operands, so 128 is taken from the activations, and its
// products with the weights are added to the sums. Highway 1.0 has no operation for it, so it is called by its name.
#include "core/kernels/gemm_int8_native.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <algorithm>
#include <cstring>

#include "core/kernels/isa.h"

#define ESPALIER_DOTPROD __attribute__((target("arch=armv8.2-a+dotprod")))
#define ESPALIER_DOTPROD_INLINE __attribute__((target("arch=armv8.2-a+dotprod"), always_inline)) inline

namespace espalier::kernels {
namespace {

constexpr int64_t most_rows = 4;     // of a tile
constexpr int64_t most_quads = 512;  // of a row that are made signed at a time

// Columns of a tile, in fours: a single row waits for its sums else.
constexpr int vectors_for(int rows) { return rows <= 2 ? 8 : 4; }

// to[4 * quads] = the quads from `first` on of a row of A, less 128.
void make_signed(const Int8Product& g, const uint8_t* row, int64_t first, int64_t quads, int8_t* to) {
  int64_t q = 0;
  if (g.index == nullptr)
    for (; q + 4 <= quads; q += 4)
      vst1q_s8(to + 4 * q, vreinterpretq_s8_u8(veorq_u8(vld1q_u8(row + 4 * (first + q)), vdupq_n_u8(0x80))));
  for (; q < quads; ++q) {
    uint32_t quad = 0;
    std::memcpy(&quad, row + 4 * g.at(first + q), sizeof quad);
    quad ^= 0x80808080U;
    std::memcpy(to + 4 * q, &quad, sizeof quad);
  }
}

// The columns' sums of weights times 128.
ESPALIER_DOTPROD void corrections(int64_t quads, const uint32_t* b, int32_t* to) {
  int32x4_t sum[8] = {};
  for (int64_t q = 0; q < quads; ++q, b += panel_columns)
#pragma GCC unroll 8
    for (int v = 0; v < 8; ++v)
      sum[v] = vdotq_s32(sum[v], vreinterpretq_s8_u32(vld1q_u32(b + 4 * v)), vdupq_n_s8(-128));
#pragma GCC unroll 8
  for (int v = 0; v < 8; ++v) vst1q_s32(to + 4 * v, vnegq_s32(sum[v]));
}

template <int Rows, int Vectors>
ESPALIER_DOTPROD_INLINE void load_sums(const int32_t* from, int64_t stride, int32x4_t (&sum)[Rows][Vectors]) {
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) sum[r][v] = vld1q_s32(from + r * stride + 4 * v);
}

// Adds the products of quad `Lane` of each row with a line of columns.
template <int Lane, int Rows, int Vectors>
ESPALIER_DOTPROD_INLINE void add_quad(const uint32_t* b, const int8x16_t (&x)[Rows], int32x4_t (&sum)[Rows][Vectors]) {
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v) {
    const int8x16_t columns = vreinterpretq_s8_u32(vld1q_u32(b + 4 * v));
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) sum[r][v] = vdotq_laneq_s32(sum[r][v], columns, x[r], Lane);
  }
}

// sums[Rows][panel_columns] = start[stride apart] + the products of the rows of x with as many columns as fit.
template <int Rows>
ESPALIER_DOTPROD void tile(int64_t quads, const int8_t* x, const uint32_t* b, const int32_t* start, int64_t stride,
                           int32_t* sums) {
  constexpr int vectors = vectors_for(Rows);
  int32x4_t sum[Rows][vectors];
  load_sums(start, stride, sum);
  int8x16_t four[Rows];
  for (int64_t q = 0; q < quads / 4; ++q, x += 16, b += 4 * panel_columns) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) four[r] = vld1q_s8(x + r * most_quads * 4);
    add_quad<0>(b, four, sum);
    add_quad<1>(b + panel_columns, four, sum);
    add_quad<2>(b + 2 * panel_columns, four, sum);
    add_quad<3>(b + 3 * panel_columns, four, sum);
  }
  for (int64_t q = 0; q < quads % 4; ++q, x += 4, b += panel_columns) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r)
      four[r] = vreinterpretq_s8_s32(vld1q_dup_s32(reinterpret_cast<const int32_t*>(x + r * most_quads * 4)));
    add_quad<0>(b, four, sum);
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) vst1q_s32(sums + r * panel_columns + 4 * v, sum[r][v]);
}

}  // namespace

void gemm_int8_dotprod(const Int8Product& g) noexcept {
  constexpr decltype(&tile<1>) by_rows[] = {tile<1>, tile<2>, tile<3>, tile<4>};
  alignas(64) int8_t x[most_rows * most_quads * 4];
  alignas(64) int32_t sums[most_rows * panel_columns], extra[panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const uint32_t* const b = g.b + column * g.quads;
    corrections(g.quads, b, extra);
    for (int64_t row = 0; row < g.m; row += most_rows) {
      const int64_t rows = std::min(most_rows, g.m - row), columns = 4 * vectors_for(static_cast<int>(rows));
      for (int64_t first = 0; first == 0 || first < g.quads; first += most_quads) {
        const int64_t quads = std::min(most_quads, g.quads - first);
        for (int64_t r = 0; r < rows; ++r)
          make_signed(g, g.a + (row + r) * g.lda, first, quads, x + r * most_quads * 4);
        for (int64_t part = 0; part < panel_columns; part += columns)
          by_rows[rows - 1](quads, x, b + first * panel_columns + part, (first == 0 ? extra : sums) + part,
                            first == 0 ? 0 : panel_columns, sums + part);
      }
      put_sums(g, row, rows, column, sums);
    }
  }
}

bool dotprod_works() {
  if (!has_dotprod()) return false;
  static const bool works = agrees_with_emulation(gemm_int8_dotprod);
  return works;
}

}  // namespace espalier::kernels

#else

namespace espalier::kernels {
bool dotprod_works() { return false; }
void gemm_int8_dotprod(const Int8Product&) noexcept {}
}  // namespace espalier::kernels

#endif
