// SPDX-License-Identifier: Apache-2.0
// f32 products with a panel of 32 columns whose zero rows are left out. In bf16 it is gemm_bf16 that does this.
#pragma once

#include <cstdint>

namespace espalier::kernels {

// C[m, n] = A[m, index] B + bias, n ≤ 32; row-major.
struct PanelProduct {
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const int32_t* index = nullptr;  // [k]: row p of B meets column index[p] of A
  const float* b = nullptr;        // [k, 32]
  float* c = nullptr;
  int64_t ldc = 0;
  const float* bias = nullptr;
};
void gemm_panel(const PanelProduct& product) noexcept;

}  // namespace espalier::kernels
