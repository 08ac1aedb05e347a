// SPDX-License-Identifier: Apache-2.0
// Products with a mask of one bit an element: bit i % 8 of byte i / 8 tells whether element i is kept. Used by the op
// apply_mask.
#pragma once

#include <cstdint>

namespace espalier::kernels {

// y[i] (+)= x[i] where element i is kept, else 0 (whatever x[i] is, also a NaN). The first element is bit 0 of bits[0];
// y may be x.
void mask(int64_t n, const uint8_t* bits, const float* x, bool accumulate, float* y) noexcept;
void mask(int64_t n, const uint8_t* bits, const double* x, bool accumulate, double* y) noexcept;

}  // namespace espalier::kernels
