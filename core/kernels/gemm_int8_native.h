// SPDX-License-Identifier: Apache-2.0
// The int8 product on CPUs that have it in hardware. Called by gemm_int8.cpp after it has asked the CPU.
#pragma once

#include <algorithm>

#include "core/kernels/gemm_int8.h"

namespace espalier::kernels {

void gemm_int8_vnni(const Int8Product& product) noexcept;
void gemm_int8_narrow(const Int8Product& product) noexcept;  // AVX2; product.narrow.group is not 0
void gemm_int8_avx_vnni(const Int8Product& product) noexcept;
void gemm_int8_avx_vnni_twin(
    const Int8Product& product) noexcept;  // the same for AVX-512 VNNI with 256 bits: for tests
void gemm_int8_amx(const Int8Product& product) noexcept;
void gemm_int8_dotprod(const Int8Product& product) noexcept;  // AArch64
void gemm_int8_i8mm(const Int8Product& product) noexcept;
void gemm_int8_relaxed(const Int8Product& product) noexcept;  // WebAssembly; product.bits is at most 7

// Puts `rows` rows of sums of a panel, 32 columns each, where they belong in C, as far as C has columns.
inline void put_sums(const Int8Product& g, int64_t row, int64_t rows, int64_t column, const int32_t* sums) {
  const int64_t columns = std::min(panel_columns, g.n - column);
  for (int64_t r = 0; r < rows; ++r) std::copy_n(sums + r * panel_columns, columns, g.c + (row + r) * g.ldc + column);
}

// The CPU has it, the system allows it, set_isa has not lowered it, and it agrees with the emulation.
bool amx_int8_works();
bool avx_vnni_works();
bool dotprod_works();
bool i8mm_works();
bool relaxed_dots_work();
bool start_relaxed_dots();  // whether there is a module with them; once, before the first product

// Whether a kernel gives the integers of EmulatedTiles, on a product with tails in every dimension and weights of
// `bits` bits.
bool agrees_with_emulation(void (*kernel)(const Int8Product&) noexcept, int bits = 8);

}  // namespace espalier::kernels
