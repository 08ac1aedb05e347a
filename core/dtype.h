// SPDX-License-Identifier: Apache-2.0
// Element types. Bf16 is storage only: kernels widen to float, compute, and round back to nearest even.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace espalier {

enum class DType : uint8_t { f32, f64, bf16, i32, s8, u8 };

struct Bf16 {
  uint16_t bits = 0;

  Bf16() = default;
  // Round to nearest even; a NaN stays a NaN.
  explicit Bf16(float value) {
    const auto u = std::bit_cast<uint32_t>(value);
    bits = static_cast<uint16_t>((u & 0x7fffffffU) > 0x7f800000U ? (u >> 16) | 0x40U
                                                                 : (u + 0x7fffU + ((u >> 16) & 1U)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

constexpr size_t size_of(DType type) {
  switch (type) {
    case DType::f64:
      return 8;
    case DType::f32:
    case DType::i32:
      return 4;
    case DType::bf16:
      return 2;
    default:
      return 1;
  }
}

constexpr const char* name_of(DType type) {
  constexpr const char* names[] = {"f32", "f64", "bf16", "i32", "s8", "u8"};
  return names[static_cast<size_t>(type)];
}

template <class T>
constexpr DType dtype_of() {
  using U = std::remove_const_t<T>;
  if constexpr (std::is_same_v<U, float>)
    return DType::f32;
  else if constexpr (std::is_same_v<U, double>)
    return DType::f64;
  else if constexpr (std::is_same_v<U, Bf16>)
    return DType::bf16;
  else if constexpr (std::is_same_v<U, int32_t>)
    return DType::i32;
  else if constexpr (std::is_same_v<U, int8_t>)
    return DType::s8;
  else {
    static_assert(std::is_same_v<U, uint8_t>, "not an element type");
    return DType::u8;
  }
}

}  // namespace espalier
