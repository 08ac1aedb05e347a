// SPDX-License-Identifier: Apache-2.0
// Random numbers of pre-training: each is a function of the seed, what it is for, the pass over the corpus and a place
// in it. Used in data/corpus.
#pragma once

#include <cstdint>

#include "data/text/splitmix.h"

namespace espalier {

enum class Draw : uint64_t { order = 1, held_out, pairs, masks };

inline uint64_t stream_of(uint64_t seed, Draw what, int64_t pass) {
  return SplitMix(seed, static_cast<uint64_t>(what) << 48 | static_cast<uint64_t>(pass)).next();
}

inline SplitMix random_of(uint64_t seed, Draw what, int64_t pass, int64_t place) {
  return {stream_of(seed, what, pass), static_cast<uint64_t>(place)};
}

}  // namespace espalier
