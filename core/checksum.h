// SPDX-License-Identifier: Apache-2.0
// Checksums of files' contents: XXH3 with 64 bits, by Yann Collet. One flipped bit always changes it, other damage
// passes once in 2^64 times. It is no proof against who changes a file on purpose. Used by core/hdf5 and data/models.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace espalier {

// `seed` is what came before them, where they continue something.
uint64_t checksum(std::span<const std::byte> bytes, uint64_t seed = 0);
uint64_t checksum(std::string_view text);

// Of many bytes, by several threads: the checksum of the checksums of pieces of 256 KiB. The last may be shorter.
constexpr size_t checksum_piece = size_t{256} << 10;
uint64_t checksum_in_pieces(std::span<const std::byte> bytes);

std::string hex(uint64_t sum);  // 16 digits

}  // namespace espalier
