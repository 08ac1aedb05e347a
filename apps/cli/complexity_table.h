// SPDX-License-Identifier: Apache-2.0
// A model's complexity as numbers, for people and as JSON. Used by inspect.
#pragma once

#include "compress/complexity.h"
#include "core/record.h"

namespace espalier {

// For sentences of 8, 32, 128 and 512 tokens, as far as the model has positions for them.
void print_complexity(const Complexity& complexity, int64_t positions);
Record complexity_to_json(const Complexity& complexity, int64_t positions);

}  // namespace espalier
