// SPDX-License-Identifier: Apache-2.0
// Pruning as an algorithm of training: --prune.*.
#pragma once

#include <vector>

#include "compress/algorithm.h"
#include "compress/pruning/criteria/criterion.h"

namespace espalier {

// `more`: criteria of one's own, which --prune.method can name too.
Algorithm pruning(const std::vector<CriterionRow>& more = {});

}  // namespace espalier
