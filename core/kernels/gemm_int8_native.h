// SPDX-License-Identifier: Apache-2.0
// The int8 product on CPUs that have it in hardware. Called by gemm_int8.cpp after it has asked the CPU.
#pragma once

#include "core/kernels/gemm_int8.h"

namespace espalier::kernels {

void gemm_int8_vnni(const Int8Product& product) noexcept;
void gemm_int8_narrow(const Int8Product& product) noexcept;  // AVX2; product.narrow.group is not 0
void gemm_int8_amx(const Int8Product& product) noexcept;
bool amx_int8_works();  // the CPU has it, the system allows it, and it agrees with its emulation

}  // namespace espalier::kernels
