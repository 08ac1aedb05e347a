// SPDX-License-Identifier: Apache-2.0
// Text of files and users in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// The text in quotes, fit for one line: control characters become '?', and more than 40 bytes are cut between two
// UTF-8 characters.
std::string quoted(std::string_view text);
// For any std::string: where <iomanip> is included, std::quoted would be the better match for one that is not const.
inline std::string quoted(const std::string& text) { return quoted(std::string_view(text)); }
inline std::string quoted(std::string& text) { return quoted(std::string_view(text)); }
std::string quoted(const std::vector<std::string>& texts);  // with commas between

}  // namespace espalier
