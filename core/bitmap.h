// SPDX-License-Identifier: Apache-2.0
// A bit for each element of a tensor: element i is bit i % 8 of byte i / 8 of a u8[(n + 7) / 8]. Masks, and what sparse
// files keep.
#pragma once

#include <bit>
#include <cstdint>

#include "core/tensor.h"

namespace espalier {

inline Tensor no_bits(int64_t elements) { return Tensor::zeros({(elements + 7) / 8}, DType::u8); }

inline bool bit(const Tensor& bits, int64_t i) { return (bits.data<uint8_t>()[i / 8] >> (i % 8) & 1) != 0; }
inline void set_bit(const Tensor& bits, int64_t i) {
  bits.data<uint8_t>()[i / 8] |= static_cast<uint8_t>(1U << (i % 8));
}

inline int64_t count_bits(const Tensor& bits) {
  int64_t count = 0;
  for (const uint8_t byte : bits.span<uint8_t>()) count += std::popcount(byte);
  return count;
}

}  // namespace espalier
