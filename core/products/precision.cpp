// SPDX-License-Identifier: Apache-2.0
#include "core/products/precision.h"

#include "core/kernels/gemm_bf16.h"
#include "core/products/gemm.h"

namespace espalier {

ChosenPrecision choose(Precision precision) {
  const bool native = kernels::has_native_bf16();
  const std::string f32 = std::string("products in f32 by ") + gemm_library(),
                    bf16 = std::string("products in bf16 by ") + kernels::gemm_bf16_kernel();
  if (precision == Precision::f32) return {DType::f32, Precision::f32, f32};
  if (precision == Precision::bf16)
    return {DType::bf16, Precision::bf16,
            bf16 + (native ? "" : ": correct but slow, this CPU has no bf16 products; --precision f32 is faster")};
  if (native) return {DType::bf16, Precision::bf16, bf16 + " (auto)"};
  return {DType::f32, Precision::f32, f32 + " (auto: this CPU has no bf16 products)"};
}

}  // namespace espalier
