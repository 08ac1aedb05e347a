// SPDX-License-Identifier: Apache-2.0
// The int8 product on CPUs with AVX-512 VNNI. Called by gemm_int8.cpp after it has asked the CPU.
#pragma once

#include "core/kernels/gemm_int8.h"

namespace espalier::kernels {
void gemm_int8_vnni(const Int8Product& product) noexcept;
}  // namespace espalier::kernels
