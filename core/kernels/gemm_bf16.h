// SPDX-License-Identifier: Apache-2.0
// Products of bf16 matrices with f32 accumulation, and the packing that they need. A pair is two neighbours along the
// contracted dimension in 32 bits. A packed matrix is a row of panels of 32 columns, [n / 32][k / 2][32] pairs,
// zero-padded: the order in which AVX-512 BF16 and AMX read their operands.
#pragma once

#include <cstdint>

#include "core/dtype.h"

namespace espalier::kernels {

constexpr int64_t panel_columns = 32;
constexpr int64_t panels_of(int64_t n) { return (n + panel_columns - 1) / panel_columns; }
// How far ahead of what they multiply kernels call for B, in 32 bits: 12 kB, so that the next panel arrives while the
// last rows of this one are multiplied.
constexpr int64_t prefetch_distance = 96 * panel_columns;
constexpr int64_t pairs_of(int64_t k) { return (k + 1) / 2; }

// C[m, n] (+)= A[m, k] B[k, n] (+ bias[n]).
struct Bf16Product {
  int64_t m = 0, n = 0, pairs = 0;
  const uint32_t* a = nullptr;  // pair (i, p) of A is a[i * a_row + p * a_pair]
  int64_t a_row = 0, a_pair = 1;
  const int32_t* index = nullptr;  // pair p of B meets pair index[p] of A; null: pair p
  int64_t group = 1;               // that many pairs from each multiple of it on are neighbours in A, too
  const uint32_t* b = nullptr;     // packed
  float* c = nullptr;              // where the result goes: f32 or, if c16 is set, bf16
  Bf16* c16 = nullptr;
  int64_t ldc = 0;
  bool accumulate = false;
  const float* bias = nullptr;  // null: none

  int64_t at(int64_t p) const { return (index != nullptr ? index[p] : p) * a_pair; }
};
void gemm_bf16(const Bf16Product& product) noexcept;

// Panel of B = w^T, the operand of x w^T: pairs run along the rows of w[n, k]. `rows` ≤ 32 rows of w, into [k / 2][32].
void pack_rows_bf16(int64_t rows, int64_t k, const float* w, int64_t ldw, uint32_t* panel) noexcept;

// Panels of B = x: pairs run down the columns of x[k, n]. Rows begin … end of k (begin even), all n columns, into
// panels of `pairs` pairs.
void pack_columns_bf16(int64_t begin, int64_t end, int64_t n, const float* x, int64_t ldx, int64_t pairs,
                       uint32_t* panels) noexcept;
void pack_columns_bf16(int64_t begin, int64_t end, int64_t n, const Bf16* x, int64_t ldx, int64_t pairs,
                       uint32_t* panels) noexcept;

// y[cols, rows] = x[rows, cols] transposed; ldx, ldy: from row to row. Of pairs, and of anything else of 32 bits.
void transpose_pairs(int64_t rows, int64_t cols, const uint32_t* x, int64_t ldx, uint32_t* y, int64_t ldy) noexcept;

// The smallest group that the fastest kernel takes: 16 on AMX, else 1.
int64_t gemm_bf16_group();

// Whether the CPU multiplies bf16 in hardware.
bool has_native_bf16();

// Which of the kernels runs, for logs: "AVX-512 BF16", "AMX" or "emulated on avx2".
const char* gemm_bf16_kernel();

}  // namespace espalier::kernels
