// SPDX-License-Identifier: Apache-2.0
// The name that a mistyped word is most like.
#pragma once

#include <string>
#include <vector>

namespace espalier {

// The one of the names that is up to two mistakes from the word, the nearest; "" where none is.
std::string nearest(const std::string& word, const std::vector<std::string>& names);

}  // namespace espalier
