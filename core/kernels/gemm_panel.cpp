// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gemm_panel.h"

#include <algorithm>

#include "core/kernels/gemm_bf16.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gemm_panel.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/small_gemm-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

void gemm_panel(const PanelProduct& g) {
  constexpr int64_t most = 24;  // rows whose sums stay in the first-level cache
  HWY_ALIGN float block[most * panel_columns] = {};
  for (int64_t row = 0, rows = 0, blocks = (g.m + most - 1) / most; blocks > 0; row += rows, --blocks) {
    rows = (g.m - row + blocks - 1) / blocks;  // as evenly as can be: small_gemm is slow on a single row
    for (int64_t r = 0; r < rows; ++r) std::copy_n(g.bias, g.n, block + r * panel_columns);
    small_gemm<float>({rows, panel_columns, g.k, g.a + row * g.lda, g.lda, 1, g.b, panel_columns, block, panel_columns,
                       true, g.index});
    for (int64_t r = 0; r < rows; ++r) std::copy_n(block + r * panel_columns, g.n, g.c + (row + r) * g.ldc);
  }
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(gemm_panel);

void gemm_panel(const PanelProduct& product) noexcept { HWY_DYNAMIC_DISPATCH(gemm_panel)(product); }
}  // namespace espalier::kernels
#endif
