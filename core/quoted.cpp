// SPDX-License-Identifier: Apache-2.0
#include "core/quoted.h"

#include <algorithm>

namespace espalier {

std::string quoted(std::string_view text) {
  constexpr size_t longest = 40;
  std::string shown(text.substr(0, longest));
  if (text.size() > longest) {
    while (!shown.empty() && (static_cast<unsigned char>(text[shown.size()]) & 0xc0) == 0x80) shown.pop_back();
    shown += "...";
  }
  std::replace_if(
      shown.begin(), shown.end(), [](unsigned char c) { return c < 32 || c == 127; }, '?');
  return "'" + shown + "'";
}

std::string quoted(const std::vector<std::string>& texts) {
  std::string text;
  for (const std::string& one : texts) text += (text.empty() ? "" : ", ") + quoted(std::string_view(one));
  return text;
}

}  // namespace espalier
