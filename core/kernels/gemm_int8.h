// SPDX-License-Identifier: Apache-2.0
// Products of u8 activations with s8 weights and i32 accumulation. A quad is four neighbours along the contracted
// dimension in 32 bits. A packed matrix is a row of panels of 32 columns, [n / 32][k / 4][32] quads, zero-padded: the
// order in which AVX-512 VNNI and AMX read their operand. The sums are exact, so they are the same on every instruction
// set.
#pragma once

#include <cstdint>

#include "core/kernels/gemm_bf16.h"

namespace espalier::kernels {

constexpr int64_t quads_of(int64_t k) { return (k + 3) / 4; }

// Which quads' products may be added in 16 bits: 255 |w| of those of a sign make at most 32767 for each column and each
// half of a quad. Every quad's do alone, and those of `group` quads, 2, 4 or 8, from each multiple of it on, as far as
// the first `quads`. group 0: that is not known.
struct NarrowSums {
  int64_t group = 0, quads = 0;
};

// C[m, n] = A[m, k] B[k, n]. k is at most 65536: |sum| < 2^31.
struct Int8Product {
  int64_t m = 0, n = 0, quads = 0;
  const uint8_t* a = nullptr;  // row i begins at a + i * lda; 4 * quads bytes can be read
  int64_t lda = 0;
  const int32_t* index = nullptr;  // quad p of B meets quad index[p] of A; null: quad p
  int64_t group = 1;               // that many quads from each multiple of it on are neighbours in A, too
  const uint32_t* b = nullptr;     // packed
  int bits = 8;                    // of its integers: they are from -2^(bits - 1) to 2^(bits - 1) - 1
  NarrowSums narrow = {};          // of every panel of B
  int32_t* c = nullptr;
  int64_t ldc = 0;

  int64_t at(int64_t p) const { return index != nullptr ? index[p] : p; }
};
void gemm_int8(const Int8Product& product) noexcept;
int64_t gemm_int8_group();  // the smallest group that the fastest kernel takes: 16 on AMX, else 1
bool gemm_int8_narrows();   // the fastest kernel is faster still with NarrowSums
int64_t gemm_int8_rows();   // that a caller who cuts its rows best hands over at once; at most 32

// Panel of B = w^T: `rows` ≤ 32 rows of w[n, k] into [k / 4][32].
void pack_rows_int8(int64_t rows, int64_t k, const int8_t* w, int64_t ldw, uint32_t* panel) noexcept;

// Which of the kernels runs, for logs: "AMX", "AVX-512 VNNI", "AVX-VNNI", "i8mm", "dot products" (of AArch64), those of
// relaxed SIMD or "16-bit products on avx2".
const char* gemm_int8_kernel();

}  // namespace espalier::kernels
