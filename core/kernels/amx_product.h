// SPDX-License-Identifier: Apache-2.0
// The bf16 product in blocks of 32 x 32 x 32, written against a set of eight tile registers: those of AMX, or an
// emulation that tests this code on any CPU. Used by gemm_bf16_amx.cpp and its test.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <iterator>

#include "core/kernels/gemm_bf16.h"

namespace espalier::kernels {

constexpr int64_t tile_rows = 16, tile_pairs = 16;  // a tile is 16 rows of 64 bytes

// A in panels (a weight gradient's) turned into rows of pairs: 32 rows of `pairs`, into scratch.
inline void turn_panel(const Bf16Product& g, uint32_t* scratch) {
  for (int64_t p = 0; p < g.pairs; ++p)
    for (int64_t i = 0; i < g.m; ++i) scratch[i * g.pairs + p] = g.a[i * g.a_row + p * g.a_pair];
}

// Tiles: configure(upper, lower) sets the rows of the two A tiles (lower may be 0) and clears the sums; multiply(a,
// row_bytes, b) adds 32 x 32 x 32 products, b being 16 rows of a panel; store(block) writes the sums, 32 floats a row;
// finish adds bias and old values and stores the block in C's type.
// A's pairs must be neighbours (a_pair 1).
template <class Tiles>
void tile_product(const Bf16Product& g, Tiles& tiles) {
  alignas(64) float block[2 * tile_rows * panel_columns];
  alignas(64) uint32_t a_tail[2 * tile_rows * tile_pairs], b_tail[tile_pairs * panel_columns];
  const int64_t whole = g.pairs / tile_pairs * tile_pairs, rest = g.pairs - whole;
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const uint32_t* const b = g.b + column * g.pairs;
    if (rest > 0) {
      std::memset(b_tail, 0, sizeof b_tail);
      std::memcpy(b_tail, b + whole * panel_columns, static_cast<size_t>(rest * panel_columns) * sizeof(uint32_t));
    }
    for (int64_t row = 0; row < g.m; row += 2 * tile_rows) {
      const int64_t rows = std::min(2 * tile_rows, g.m - row), upper = std::min(tile_rows, rows);
      const uint32_t* const a = g.a + row * g.a_row;
      tiles.configure(upper, rows - upper);
      for (int64_t p = 0; p < whole; p += tile_pairs) tiles.multiply(a + p, g.a_row * 4, b + p * panel_columns);
      if (rest > 0) {
        std::memset(a_tail, 0, sizeof a_tail);
        for (int64_t i = 0; i < rows; ++i)
          std::memcpy(a_tail + i * tile_pairs, a + i * g.a_row + whole, static_cast<size_t>(rest) * sizeof(uint32_t));
        tiles.multiply(a_tail, tile_pairs * 4, b_tail);
      }
      tiles.store(block);
      tiles.finish(g, row, rows, column, block);
    }
  }
}

// The tile registers in plain C++.
class EmulatedTiles {
 public:
  void configure(int64_t upper, int64_t lower) {
    rows_ = upper + lower;
    std::fill(std::begin(sums_), std::end(sums_), 0.0F);
  }
  void multiply(const uint32_t* a, int64_t row_bytes, const uint32_t* b) {
    const auto half = [](uint32_t pair, int which) {
      return std::bit_cast<float>(which == 0 ? pair << 16 : pair & 0xffff0000U);
    };
    for (int64_t i = 0; i < rows_; ++i)
      for (int64_t p = 0; p < tile_pairs; ++p)
        for (int64_t j = 0; j < panel_columns; ++j)
          for (int h = 0; h < 2; ++h)
            sums_[i * panel_columns + j] += half(a[i * row_bytes / 4 + p], h) * half(b[p * panel_columns + j], h);
  }
  void store(float* block) const { std::copy_n(sums_, rows_ * panel_columns, block); }
  void finish(const Bf16Product& g, int64_t row, int64_t rows, int64_t column, const float* block) const {
    const int64_t columns = std::min(panel_columns, g.n - column);
    for (int64_t i = 0; i < rows; ++i) {
      const float* const from = block + i * panel_columns;
      const int64_t at = (row + i) * g.ldc + column;
      for (int64_t j = 0; j < columns; ++j) {
        const float v = from[j] + (g.bias != nullptr ? g.bias[column + j] : 0.0F);
        if (g.c16 != nullptr)
          g.c16[at + j] = Bf16(g.accumulate ? v + static_cast<float>(g.c16[at + j]) : v);
        else
          g.c[at + j] = g.accumulate ? g.c[at + j] + v : v;
      }
    }
  }

 private:
  int64_t rows_ = 0;
  float sums_[2 * tile_rows * panel_columns] = {};
};

}  // namespace espalier::kernels
