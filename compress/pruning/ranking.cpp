// SPDX-License-Identifier: Apache-2.0
#include "compress/pruning/ranking.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numeric>

#include "core/check.h"
#include "core/ranks.h"

namespace espalier {
namespace {

using Flags = std::vector<std::vector<uint8_t>>;

struct Threshold {
  float score;   // the count-th lowest
  int64_t ties;  // how many of the units with just this score are among the count lowest
};

// Sums over the ranks of what each of them counted.
std::vector<int64_t> counted_by_all(std::vector<int64_t> counts) {
  if (ranks() == 1) return counts;
  const std::vector<double> all = gather_all(std::vector<double>(counts.begin(), counts.end()));
  std::ranges::fill(counts, 0);
  for (size_t i = 0; i < all.size(); ++i) counts[i % counts.size()] += static_cast<int64_t>(all[i]);
  return counts;
}

// Over pools[which…], on all ranks or on this one. A radix selection: the bits of a float, with the sign taken into the
// order, are found eleven at a time, counting in one pass over all scores how many begin with each.
Threshold nth_lowest(std::span<const RankedPool> pools, std::span<const size_t> which, int64_t count, bool everywhere) {
  uint32_t found = 0, known = 0;  // bits of the answer, and which of them are known
  for (const int shift : {21, 10, 0}) {
    std::vector<int64_t> counts(2048);
    for (const size_t p : which)
      for (const float score : pools[p].scores) {
        const auto bits = std::bit_cast<uint32_t>(score + 0.0F);  // -0 is 0
        const uint32_t ordered = bits ^ ((bits >> 31) != 0 ? 0xffffffffU : 0x80000000U);
        if (((ordered ^ found) & known) == 0) ++counts[ordered >> shift & 2047];
      }
    if (everywhere) counts = counted_by_all(std::move(counts));
    uint32_t digit = 0;
    for (; count > counts[digit]; ++digit) count -= counts[digit];
    found |= digit << shift;
    known |= 2047U << shift;
  }
  return {std::bit_cast<float>(found ^ ((found >> 31) != 0 ? 0x80000000U : 0xffffffffU)), count};
}

// Prunes the `count` lowest units of pools[which…], all together. The threshold is the count-th lowest score; of the
// units that have just this score, the first go. Everywhere: all ranks do, each with its own of these pools; else this
// one has all of them.
void prune_lowest(std::span<const RankedPool> pools, std::span<const size_t> which, int64_t count, bool everywhere,
                  Flags& keep) {
  for (const size_t p : which) keep[p].assign(pools[p].scores.size(), 1);
  if (count == 0) return;
  auto [threshold, ties] = nth_lowest(pools, which, count, everywhere);
  std::vector<int64_t> tied(which.size());
  for (size_t i = 0; everywhere && i < which.size(); ++i)
    tied[i] = std::ranges::count(pools[which[i]].scores, threshold);
  if (everywhere) tied = counted_by_all(std::move(tied));
  for (size_t i = 0; i < which.size(); ++i) {
    const RankedPool& pool = pools[which[i]];
    if (pool.elsewhere > 0) {
      ties -= tied[i];
      continue;
    }
    std::vector<uint8_t>& flags = keep[which[i]];
    for (size_t u = 0; u < flags.size(); ++u) {
      const float s = pool.scores[u];
      flags[u] = s < threshold ? 0 : 1;  // no branch: which units go is a coin toss
      if (s == threshold && ties-- > 0) flags[u] = 0;
    }
  }
}

void check_scores(const RankedPool& pool) {
  for (const float s : pool.scores)
    CHECK(std::isfinite(s) || s == pruned_already, "prune: ", pool.name, " has the score ", s,
          "; expected finite numbers: has the training diverged?");
}

void check_limit(const RankedPool& pool, int64_t count, double amount) {
  CHECK(count <= pool.limit, "prune: amount ", amount, " would remove ", count, " of the ", pool.units(), " ",
        pool.name, ", where at most ", pool.limit, " may go; use a smaller amount");
}

// Global: pools that would go beyond their limit are pruned up to it, by themselves; the others share the rest.
void prune_globally(std::span<const RankedPool> pools, double amount, Flags& keep) {
  int64_t units = 0, limits = 0;
  for (const RankedPool& pool : pools) {
    units += pool.units();
    limits += pool.limit;
  }
  int64_t count = count_of(amount, units);
  CHECK(count <= limits, "prune: amount ", amount, " would remove ", count, " of ", units, ", of which at most ",
        limits, " may go (some of each layer must stay); use a smaller amount");
  std::vector<size_t> free(pools.size());
  std::iota(free.begin(), free.end(), size_t{0});
  for (bool again = true; again;) {
    prune_lowest(pools, free, count, true, keep);
    std::vector<int64_t> gone(free.size());
    std::ranges::transform(free, gone.begin(), [&](size_t p) { return std::ranges::count(keep[p], 0); });
    gone = counted_by_all(std::move(gone));
    std::vector<size_t> within;
    for (size_t i = 0; i < free.size(); ++i) {
      const size_t p = free[i];
      if (gone[i] <= pools[p].limit) {
        within.push_back(p);
        continue;
      }
      if (pools[p].elsewhere == 0) prune_lowest(pools, std::span(&p, 1), pools[p].limit, false, keep);
      count -= pools[p].limit;
    }
    again = within.size() < free.size();
    free = std::move(within);
  }
}

}  // namespace

int64_t count_of(double amount, int64_t n) {
  return static_cast<int64_t>(std::nearbyint(amount * static_cast<double>(n)));
}

Flags keep_highest(std::span<const RankedPool> pools, double amount, bool global) {
  for (const RankedPool& pool : pools) check_scores(pool);
  Flags keep(pools.size());
  if (global) {
    prune_globally(pools, amount, keep);
    return keep;
  }
  for (size_t p = 0; p < pools.size(); ++p) {
    const int64_t count = count_of(amount, pools[p].units());
    check_limit(pools[p], count, amount);
    if (pools[p].elsewhere == 0) prune_lowest(pools, std::span(&p, 1), count, false, keep);
  }
  return keep;
}

std::vector<uint8_t> keep_above(const RankedPool& pool, double threshold) {
  check_scores(pool);
  const int64_t below = std::count_if(pool.scores.begin(), pool.scores.end(),
                                      [&](float s) { return static_cast<double>(s) < threshold; });
  Flags keep(1);
  constexpr size_t only = 0;
  prune_lowest(std::span(&pool, 1), std::span(&only, 1), std::min(below, pool.limit), false, keep);
  return keep[only];
}

std::vector<uint8_t> keep_n_of_m(const RankedPool& pool, int64_t n, int64_t m) {
  check_scores(pool);
  const std::span<const float> scores = pool.scores;
  std::vector<uint8_t> keep(scores.size(), 0);
  std::vector<int64_t> order(static_cast<size_t>(m));
  for (int64_t first = 0; first < std::ssize(scores); first += m) {
    std::iota(order.begin(), order.end(), first);
    // Highest first; of equal scores the later one is kept.
    std::partial_sort(order.begin(), order.begin() + n, order.end(), [&](int64_t a, int64_t b) {
      const float x = scores[static_cast<size_t>(a)], y = scores[static_cast<size_t>(b)];
      return x > y || (x == y && a > b);
    });
    for (int64_t i = 0; i < n; ++i) keep[static_cast<size_t>(order[static_cast<size_t>(i)])] = 1;
  }
  return keep;
}

}  // namespace espalier
