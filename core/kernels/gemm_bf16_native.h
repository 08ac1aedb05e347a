// SPDX-License-Identifier: Apache-2.0
// The bf16 product on CPUs that have it in hardware. Called by gemm_bf16.cpp after it has asked the CPU.
#pragma once

#include "core/kernels/gemm_bf16.h"

namespace espalier::kernels {

void gemm_bf16_avx512(const Bf16Product& product) noexcept;

}  // namespace espalier::kernels
