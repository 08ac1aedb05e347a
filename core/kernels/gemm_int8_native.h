// SPDX-License-Identifier: Apache-2.0
// The int8 product on CPUs that have it in hardware. Called by gemm_int8.cpp after it has asked the CPU.
#pragma once

#include "core/kernels/gemm_int8.h"

namespace espalier::kernels {

// How far ahead of what they multiply the kernels call for B, in 32-bit quads: 12 kB, so that the next panel arrives
// while the last rows of this one are multiplied.
constexpr int64_t prefetch_distance = 96 * panel_columns;

void gemm_int8_vnni(const Int8Product& product) noexcept;
void gemm_int8_narrow(const Int8Product& product) noexcept;  // AVX2; product.narrow.group is not 0
void gemm_int8_avx_vnni(const Int8Product& product) noexcept;
void gemm_int8_avx_vnni_twin(
    const Int8Product& product) noexcept;  // the same for AVX-512 VNNI with 256 bits: for tests
void gemm_int8_amx(const Int8Product& product) noexcept;

// The CPU has it, the system allows it, set_isa has not lowered it, and it agrees with the emulation.
bool amx_int8_works();
bool avx_vnni_works();

// Whether a kernel gives the integers of EmulatedTiles, on a product with tails in every dimension.
bool agrees_with_emulation(void (*kernel)(const Int8Product&) noexcept);

}  // namespace espalier::kernels
