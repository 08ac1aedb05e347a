// SPDX-License-Identifier: Apache-2.0
// The bf16 product on CPUs that have it in hardware. Called by gemm_bf16.cpp after it has asked the CPU.
#pragma once

#include "core/kernels/gemm_bf16.h"

namespace espalier::kernels {

void gemm_bf16_avx512(const Bf16Product& product) noexcept;
// Adds bias and old values to a finished block of sums, 32 a row, and stores it in C's type.
void store_block_avx512(const Bf16Product& product, int64_t row, int64_t rows, int64_t column,
                        const float* block) noexcept;
void gemm_bf16_amx(const Bf16Product& product) noexcept;
bool amx_works();  // the CPU has it, the system allows it, and it agrees with its emulation

}  // namespace espalier::kernels
