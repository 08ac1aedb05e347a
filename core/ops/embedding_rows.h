// SPDX-License-Identifier: Apache-2.0
// Which rows of their tables tokens read. Used by the embedding op and by nn/engine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/check.h"

namespace espalier::ops {

// [T] the row of each token in the position table: its place in its sentence, counted from `first` on. As in RoBERTa
// the token first - 1 is padding: where a text spells it, it has the row first - 1 and does not count. Throws where the
// offsets do not span the tokens, and for a sentence of more than `rows` - first tokens.
inline std::vector<int32_t> places(std::span<const int32_t> ids, std::span<const int32_t> offsets, int64_t rows,
                                   int64_t first) {
  const int64_t tokens = std::ssize(ids), limit = rows - first;
  CHECK(!offsets.empty() && offsets.front() == 0 && offsets.back() == tokens, "embedding: the offsets do not span the ",
        tokens, " tokens");
  std::vector<int32_t> place(ids.size());
  for (size_t b = 0; b + 1 < offsets.size(); ++b) {
    const int32_t length = offsets[b + 1] - offsets[b];
    CHECK(length >= 0 && length <= limit, "embedding: sentence ", b, " has ", length,
          " tokens, the position table has ", limit, " rows");
    auto next = static_cast<int32_t>(first);
    for (auto i = static_cast<size_t>(offsets[b]); i < static_cast<size_t>(offsets[b + 1]); ++i)
      place[i] = ids[i] == first - 1 ? ids[i] : next++;
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
