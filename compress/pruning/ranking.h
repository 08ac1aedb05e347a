// SPDX-License-Identifier: Apache-2.0
// Which units of several pools have the lowest scores. A unit is what is pruned as a whole: a weight, a block, a head.
// A pool is what one layer has of them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// The score of a unit that is pruned already: it goes first.
constexpr float pruned_already = -std::numeric_limits<float>::infinity();

struct RankedPool {
  std::string name;           // for messages
  std::vector<float> scores;  // of its units; finite, or pruned_already
  int64_t limit = 0;          // at most this many of its units may be pruned
  int64_t elsewhere = 0;      // units of a pool that another rank ranks, without their scores

  int64_t units() const { return elsewhere + std::ssize(scores); }
};

// Number of n units that an amount in [0, 1) stands for: the nearest whole number, halves to the even one, as Python's
// round.
int64_t count_of(double amount, int64_t n);

// For each pool a flag per unit: 1 is kept, 0 is pruned. Exactly count_of(amount, n) units are pruned, n being a pool's
// units, or with `global` those of all pools together; the lowest scores go, and among equal scores the unit that comes
// first (pools in the given order, units by index). Global ranking passes over a pool that has reached its limit.
// Throws where the limits forbid the amount, and for a score that is not a number. Pools that are elsewhere get no
// flags here; all ranks call it, with the same pools, each of which one rank has.
std::vector<std::vector<uint8_t>> keep_highest(std::span<const RankedPool> pools, double amount, bool global);

// Flags that keep the scores at or above the threshold; where these are fewer than the pool's limit demands, the
// highest ones. Throws for a score that is not a number.
std::vector<uint8_t> keep_above(const RankedPool& pool, double threshold);

// Flags that keep the n highest of each m consecutive units; ties as above. The pool has a multiple of m units. Throws
// for a score that is not a number.
std::vector<uint8_t> keep_n_of_m(const RankedPool& pool, int64_t n, int64_t m);

}  // namespace espalier
