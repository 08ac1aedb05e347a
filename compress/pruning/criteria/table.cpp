// SPDX-License-Identifier: Apache-2.0
// The table of criteria: what --method and --prune.method can name.
#include "compress/pruning/criteria/criterion.h"

namespace espalier {

std::vector<CriterionRow> CriterionRow::table() {
  return {
      {"magnitude", "the smallest |w|", [](uint64_t) { return magnitude_criterion(); }},
      {"random", "any", [](uint64_t seed) { return random_criterion(seed); }},
      {"taylor", "the smallest |w gradient|, summed over the steps", [](uint64_t) { return taylor_criterion(); }},
      {"wanda", "the smallest |w| times the norm of its input", [](uint64_t) { return wanda_criterion(); }},
      movement({}),
      movement({.learning_rate = 1e-2, .soft = true}),
  };
}

}  // namespace espalier
