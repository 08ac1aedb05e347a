// SPDX-License-Identifier: Apache-2.0
// Ranks on different CPUs: products must have the same bits on all of them.
#pragma once

#include <string>

namespace espalier {

// Called by every rank behind apply_isa_environment, before the first product: all run on the best instruction set that
// all of them have, oneDNN and OpenBLAS too. Returns what that means, for people; "" where all have the same. Throws
// Error, naming the ranks and their CPUs, where a product has other bits on another rank even then.
std::string use_same_instructions();

}  // namespace espalier
