// SPDX-License-Identifier: Apache-2.0
#include "core/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <vector>

#include "core/format.h"
#include "core/parallel.h"

namespace espalier {

uint64_t checksum(std::span<const std::byte> bytes, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}
uint64_t checksum(std::string_view text) { return checksum(std::as_bytes(std::span(text.data(), text.size()))); }

uint64_t checksum_in_pieces(std::span<const std::byte> bytes) {
  std::vector<uint64_t> sums((bytes.size() + checksum_piece - 1) / checksum_piece);
  parallel_for(std::ssize(sums), [&](int64_t i) {
    const std::span<const std::byte> rest = bytes.subspan(static_cast<size_t>(i) * checksum_piece);
    sums[static_cast<size_t>(i)] = checksum(rest.first(std::min(checksum_piece, rest.size())));
  });
  return checksum(std::as_bytes(std::span(sums)));
}

std::string hex(uint64_t sum) { return format("%016llx", static_cast<unsigned long long>(sum)); }

}  // namespace espalier
