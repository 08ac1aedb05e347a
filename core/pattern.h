// SPDX-License-Identifier: Apache-2.0
// Patterns of parameters' names, as options give them. Used by pruning, quantization and freezing.
#pragma once

#include <string_view>

namespace espalier {

// Whether the pattern, in which * stands for any text, is all of the name.
bool matches(std::string_view pattern, std::string_view name);

}  // namespace espalier
