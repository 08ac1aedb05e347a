// SPDX-License-Identifier: Apache-2.0
// Which rows of their tables tokens read. Used by the embedding op and by nn/engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/check.h"

namespace espalier::ops {

// [T] the place of each token in its sentence. Throws where the offsets do not span the tokens, and for a sentence of
// more than `limit` tokens.
inline std::vector<int32_t> places(std::span<const int32_t> offsets, int64_t tokens, int64_t limit) {
  CHECK(!offsets.empty() && offsets.front() == 0 && offsets.back() == tokens, "embedding: the offsets do not span the ",
        tokens, " tokens");
  std::vector<int32_t> place(static_cast<size_t>(tokens));
  for (size_t b = 0; b + 1 < offsets.size(); ++b) {
    const int32_t length = offsets[b + 1] - offsets[b];
    CHECK(length >= 0 && length <= limit, "embedding: sentence ", b, " has ", length,
          " tokens, the position table has ", limit, " rows");
    for (int32_t i = 0; i < length; ++i) place[static_cast<size_t>(offsets[b]) + static_cast<size_t>(i)] = i;
  }
  return place;
}

// Throws for the first value outside 0 … limit - 1.
inline void check_range(const char* what, std::span<const int32_t> values, int64_t limit) {
  for (size_t t = 0; t < values.size(); ++t)
    CHECK(values[t] >= 0 && values[t] < limit, "embedding: ", what, " ", values[t], " of token ", t, " is outside 0 … ",
          limit - 1);
}

}  // namespace espalier::ops
