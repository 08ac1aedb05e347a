// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/precision.h"

#include "core/check.h"
#include "core/kernels/gemm_bf16.h"
#include "core/products/gemm.h"

namespace espalier {

void declare_precision(CLI::App& app, std::string& precision) {
  app.add_option("--precision", precision,
                 "of the encoder's products: f32; bf16 (mixed precision: f32 weights, sums, softmax and layer norms); "
                 "auto: bf16 where the CPU has it")
      ->capture_default_str();
}

Precision choose_precision(const std::string& precision) {
  const std::string f32 = std::string("products in f32 by ") + gemm_library(),
                    bf16 = std::string("products in bf16 by ") + kernels::gemm_bf16_kernel();
  if (precision == "f32") return {DType::f32, f32};
  if (precision == "bf16")
    return {DType::bf16, bf16 + (kernels::has_native_bf16()
                                     ? ""
                                     : ": correct but slow, this CPU has no bf16 products; --precision f32 is faster")};
  CHECK(precision == "auto", "--precision ", precision, ": choose auto, f32 or bf16");
  if (kernels::has_native_bf16()) return {DType::bf16, bf16 + " (auto)"};
  return {DType::f32, f32 + " (auto: this CPU has no bf16 products)"};
}

}  // namespace espalier
