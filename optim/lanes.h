// SPDX-License-Identifier: Apache-2.0
// Lanes: a step's batches are cut into L parts, a power of two, whose gradients are summed in a binary tree that their
// positions fix: ((0 + 1) + (2 + 3)) + … Rank r of R works on the lanes from L r / R up to L (r + 1) / R. Which lanes a
// rank has changes no sum. Used by GradientSum.
#pragma once

#include <cstdint>
#include <vector>

namespace espalier {

// Lanes first … first + size - 1, all below one node of the tree: size is a power of two, first a multiple of it.
struct Block {
  int64_t first, size;
  int rank;  // that works on them
};

inline int64_t first_lane(int64_t lanes, int rank, int ranks) { return lanes * rank / ranks; }
inline int rank_of_lane(int64_t lane, int64_t lanes, int ranks) {
  return static_cast<int>(((lane + 1) * ranks - 1) / lanes);
}

// All lanes, in the largest blocks that one rank has.
inline std::vector<Block> blocks_of(int64_t lanes, int ranks) {
  std::vector<Block> blocks;
  for (int rank = 0; rank < ranks; ++rank) {
    const int64_t end = first_lane(lanes, rank + 1, ranks);
    for (int64_t at = first_lane(lanes, rank, ranks), size = 0; at < end; at += size) {
      for (size = 1; at % (2 * size) == 0 && at + 2 * size <= end; size *= 2) continue;
      blocks.push_back({at, size, rank});
    }
  }
  return blocks;
}

}  // namespace espalier
