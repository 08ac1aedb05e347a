// SPDX-License-Identifier: Apache-2.0
// Products in blocks of 32 x 32 with 64 bytes of contraction, written against a set of eight tile registers: those of
// AMX, or an emulation that tests this code on any CPU. Used by gemm_bf16_amx.cpp, gemm_int8_amx.cpp and their tests.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>
#include <vector>

#include "core/kernels/gemm_bf16.h"
#include "core/kernels/gemm_int8.h"

namespace espalier::kernels {

constexpr int64_t tile_rows = 16, tile_steps = 16;  // a tile is 16 rows of 64 bytes; a step is 32 bits of them

// What the 32 bits of a step hold, and what their products add up to.
struct Bf16Pairs {
  using Sum = float;
  static float dot(uint32_t a, uint32_t b) {
    const auto low = [](uint32_t v) { return std::bit_cast<float>(v << 16); };
    const auto high = [](uint32_t v) { return std::bit_cast<float>(v & 0xffff0000U); };
    return low(a) * low(b) + high(a) * high(b);
  }
};
struct Int8Quads {  // u8 in A, s8 in B
  using Sum = int32_t;
  static int32_t dot(uint32_t a, uint32_t b) {
    int32_t sum = 0;
    for (int shift = 0; shift < 32; shift += 8)
      sum += static_cast<int32_t>(a >> shift & 0xffU) * static_cast<int8_t>(b >> shift & 0xffU);
    return sum;
  }
};

// C[m, n] = A[m, steps] B[steps, n], B in packed panels; the steps of a row of A are neighbours. With an index, whose
// groups of tile_steps are neighbours, step p of B meets step index[p] of A.
struct TileProduct {
  int64_t m = 0, n = 0, steps = 0;
  const void* a = nullptr;
  int64_t row_bytes = 0;
  const uint32_t* b = nullptr;
  const int32_t* index = nullptr;
  bool padded = false;  // rows of A are zero behind their last step, to a whole tile

  int64_t at(int64_t step) const { return index != nullptr ? index[step] : step; }
};

// Tiles: configure(upper, lower) sets the rows of the two A tiles (lower may be 0) and clears the sums; multiply(g, a,
// b, steps) adds 32 x 32 x steps, a whole number of tiles, b being a panel; store(block) writes the sums, 32 a row.
// Then finish(row, rows, column, block) takes them.
template <class Tiles, class Finish>
void tile_product(const TileProduct& g, Tiles& tiles, const Finish& finish) {
  alignas(64) typename Tiles::Sum block[2 * tile_rows * panel_columns];
  alignas(64) uint32_t a_tail[2 * tile_rows * tile_steps], b_tail[tile_steps * panel_columns] = {};
  const int64_t whole = g.steps / tile_steps * tile_steps, rest = g.steps - whole;
  for (int64_t row = 0; row < g.m; row += 2 * tile_rows) {  // rows of A stay in the cache while B passes, in its order
    const int64_t rows = std::min(2 * tile_rows, g.m - row), upper = std::min(tile_rows, rows);
    const auto* const a = static_cast<const std::byte*>(g.a) + row * g.row_bytes;
    if (rest > 0 && !g.padded) {
      std::memset(a_tail, 0, sizeof a_tail);
      for (int64_t i = 0; i < rows; ++i)
        std::memcpy(a_tail + i * tile_steps, a + i * g.row_bytes + g.at(whole) * 4, static_cast<size_t>(rest) * 4);
    }
    const TileProduct tail = {.row_bytes = g.padded ? g.row_bytes : tile_steps * 4};
    for (int64_t column = 0; column < g.n; column += panel_columns) {
      const uint32_t* const b = g.b + column * g.steps;
      tiles.configure(upper, rows - upper);
      tiles.multiply(g, a, b, whole);
      if (rest > 0) {
        std::memcpy(b_tail, b + whole * panel_columns, static_cast<size_t>(rest * panel_columns) * sizeof(uint32_t));
        tiles.multiply(tail, g.padded ? a + whole * 4 : reinterpret_cast<const std::byte*>(a_tail), b_tail, tile_steps);
      }
      tiles.store(block);
      finish(row, rows, column, block);
    }
  }
}

// The tile registers in plain C++.
template <class Steps>
class EmulatedTiles {
 public:
  using Sum = typename Steps::Sum;

  void configure(int64_t upper, int64_t lower) {
    rows_ = upper + lower;
    std::fill(std::begin(sums_), std::end(sums_), Sum{0});
  }
  void multiply(const TileProduct& g, const std::byte* a, const uint32_t* b, int64_t steps) {
    for (int64_t i = 0; i < rows_; ++i)
      for (int64_t p = 0; p < steps; ++p) {
        const int64_t first = p / tile_steps * tile_steps;
        uint32_t step = 0;
        std::memcpy(&step, a + i * g.row_bytes + (g.at(first) + p - first) * 4, sizeof step);
        for (int64_t j = 0; j < panel_columns; ++j)
          sums_[i * panel_columns + j] += Steps::dot(step, b[p * panel_columns + j]);
      }
  }
  void store(Sum* block) const { std::copy_n(sums_, rows_ * panel_columns, block); }

 private:
  int64_t rows_ = 0;
  Sum sums_[2 * tile_rows * panel_columns] = {};
};

// Whole products on any tiles: what AMX and its emulation share. A's pairs must be neighbours (a_pair 1).
template <class Tiles, class Finish>
void bf16_tiles(const Bf16Product& g, Tiles& tiles, const Finish& finish, bool padded = false) {
  tile_product({g.m, g.n, g.pairs, g.a, g.a_row * 4, g.b, g.index, padded}, tiles, finish);
}
template <class Tiles>
void int8_tiles(const Int8Product& g, Tiles& tiles) {
  tile_product({.m = g.m, .n = g.n, .steps = g.quads, .a = g.a, .row_bytes = g.lda, .b = g.b, .index = g.index}, tiles,
               [&](int64_t row, int64_t rows, int64_t column, const int32_t* block) {
                 const int64_t columns = std::min(panel_columns, g.n - column);
                 for (int64_t i = 0; i < rows; ++i)
                   std::copy_n(block + i * panel_columns, columns, g.c + (row + i) * g.ldc + column);
               });
}

// Adds bias and old values to a finished block and stores it in C's type.
inline void store_block(const Bf16Product& g, int64_t row, int64_t rows, int64_t column, const float* block) {
  const int64_t columns = std::min(panel_columns, g.n - column);
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0, at = (row + i) * g.ldc + column; j < columns; ++j) {
      const float v = block[i * panel_columns + j] + (g.bias != nullptr ? g.bias[column + j] : 0.0F);
      if (g.c16 != nullptr)
        g.c16[at + j] = Bf16(g.accumulate ? v + static_cast<float>(g.c16[at + j]) : v);
      else
        g.c[at + j] = g.accumulate ? g.c[at + j] + v : v;
    }
}

// The product whose A lies in panels (a weight gradient's) with A turned into padded rows, in scratch.
inline Bf16Product turned(const Bf16Product& g, std::vector<uint32_t>& scratch) {
  Bf16Product rows = g;
  rows.a_row = (g.pairs + tile_steps - 1) / tile_steps * tile_steps;
  rows.a_pair = 1;
  scratch.resize(std::max(scratch.size(), static_cast<size_t>(g.m * rows.a_row)));
  rows.a = scratch.data();
  transpose_pairs(g.pairs, g.m, g.a, g.a_pair, scratch.data(), rows.a_row);
  for (int64_t i = 0; i < g.m; ++i) std::fill_n(scratch.data() + i * rows.a_row + g.pairs, rows.a_row - g.pairs, 0U);
  return rows;
}

}  // namespace espalier::kernels
