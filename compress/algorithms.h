// SPDX-License-Identifier: Apache-2.0
// The table of compression algorithms. Used by the training programs.
#pragma once

#include <vector>

#include "compress/algorithm.h"

namespace espalier {

// Those that come with Espalier, in the order of their hooks: prune, qat, distill.
std::vector<Algorithm> algorithms();

}  // namespace espalier
