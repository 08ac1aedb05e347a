// SPDX-License-Identifier: Apache-2.0
// Integers of 4 bits or less, two in a byte: number i is the lower half of byte i / 2 where i is even, as two's
// complement. What files keep of them: checkpoints and edge files.
#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"

namespace espalier {

inline int8_t nibble(const uint8_t* packed, int64_t i) {
  const unsigned bits = (packed[i / 2] >> (i % 2 * 4)) & 15U;
  return static_cast<int8_t>(bits >= 8 ? static_cast<int>(bits) - 16 : static_cast<int>(bits));
}

inline Tensor packed_nibbles(std::span<const int8_t> values) {  // u8[(n + 1) / 2]
  Tensor packed = Tensor::zeros({(std::ssize(values) + 1) / 2}, DType::u8);
  for (size_t i = 0; i < values.size(); ++i)
    packed.data<uint8_t>()[i / 2] |= static_cast<uint8_t>((static_cast<unsigned>(values[i]) & 15U) << (i % 2 * 4));
  return packed;
}

}  // namespace espalier
