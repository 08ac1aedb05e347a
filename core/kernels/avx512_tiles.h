// SPDX-License-Identifier: Apache-2.0
// How the AVX-512 products cut C: into tiles of up to 12 rows, and by panels of 32 columns. Used by
// gemm_bf16_avx512.cpp and gemm_int8_vnni.cpp.
#pragma once

#include <cstdint>

namespace espalier::kernels {

// Rows of the next tile, of `left` rows that are left: no last tile is tiny.
constexpr int64_t rows_of_tile(int64_t left) { return left >= 24 ? 12 : left > 12 ? (left + 1) / 2 : left; }

// Which of a panel's columns, 16 and 16, exist in C, of `left` columns from the panel's first on: masks of AVX-512.
struct PanelColumns {
  explicit constexpr PanelColumns(int64_t left)
      : low(static_cast<uint16_t>(left >= 16 ? 0xffff : (1 << left) - 1)),
        high(static_cast<uint16_t>(left >= 32  ? 0xffff
                                   : left > 16 ? (1 << (left - 16)) - 1
                                               : 0)) {}
  uint16_t low, high;
};

}  // namespace espalier::kernels
