// SPDX-License-Identifier: Apache-2.0
#include "core/crc32c.h"

#include <array>

namespace espalier {
namespace {

// What one byte does to the sum, the lowest bit first.
constexpr std::array<uint32_t, 256> crc32c_table = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t sum = i;
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? 0x82f63b78U : 0U);
    table[i] = sum;
  }
  return table;
}();

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t sum = ~0U;
  for (const char byte : bytes) sum = crc32c_table[(sum ^ static_cast<unsigned char>(byte)) & 0xffU] ^ (sum >> 8U);
  return ~sum;
}

}  // namespace espalier
