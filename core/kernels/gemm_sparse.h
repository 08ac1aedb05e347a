// SPDX-License-Identifier: Apache-2.0
// f32 products with a matrix of which whole panel steps (32 columns at one k) are zero: these are left out. In bf16 it
// is gemm_bf16 that does this.
#pragma once

#include "core/kernels/panel.h"

namespace espalier::kernels {

// C[m, n] = A[m, k] B[k, n] (+ bias[n]), row-major but for B; sums run along k in ascending order.
struct SparseProduct {
  int64_t m = 0, n = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const Panel* panels = nullptr;  // of B
  float* c = nullptr;
  int64_t ldc = 0;
  const float* bias = nullptr;  // null: none
};
void gemm_sparse(const SparseProduct& product) noexcept;

}  // namespace espalier::kernels
