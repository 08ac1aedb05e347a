// SPDX-License-Identifier: Apache-2.0
// PrunedMasks: what a model was pruned of, as checkpoints keep it. Used by data/checkpoint and compress/mask.
#pragma once

#include <map>
#include <string>

#include "core/tensor.h"

namespace espalier {

// Masks of pruned parameters by name: bit i % 8 of byte i / 8 of a u8[(n + 7) / 8] tells that element i is kept.
using PrunedMasks = std::map<std::string, Tensor>;

}  // namespace espalier
