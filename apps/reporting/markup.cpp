// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/markup.h"

#include <vector>

#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

std::vector<char32_t> characters_of(std::string_view utf8) {
  std::vector<char32_t> characters;
  for (size_t at = 0; at < utf8.size();) characters.push_back(read_code_point(utf8, at));
  return characters;
}

// Tabs and line ends become spaces; XML does not have the other control characters, nor U+FFFE and U+FFFF.
char32_t printable(char32_t c) {
  if (c == U'\t' || c == U'\n' || c == U'\r') return U' ';
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c & 0xfffe) == 0xfffe ? U'\uFFFD' : c;
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char32_t c : characters_of(text)) switch (c) {
      case U'<':
        safe += "&lt;";
        break;
      case U'>':
        safe += "&gt;";
        break;
      case U'&':
        safe += "&amp;";
        break;
      case U'"':
        safe += "&quot;";
        break;
      case U'\'':
        safe += "&#39;";
        break;
      default:
        append_utf8(safe, printable(c));
    }
  return safe;
}

std::string markdown_escaped(std::string_view text) {
  std::string safe;
  for (const char32_t c : characters_of(text)) {
    if (c == U'<' || c == U'&') {
      safe += c == U'<' ? "&lt;" : "&amp;";
      continue;
    }
    if (std::u32string_view(U"\\`*_[]>|~$").find(c) != std::u32string_view::npos) safe += '\\';
    append_utf8(safe, printable(c));
  }
  return safe;
}

std::string middle_left_out(const std::string& utf8, size_t most) {
  const auto characters = characters_of(utf8);
  if (characters.size() <= most) return utf8;
  const size_t last = most / 2, first = most - 1 - last;
  std::string text;
  for (size_t i = 0; i < first; ++i) append_utf8(text, characters[i]);
  text += "…";
  for (size_t i = characters.size() - last; i < characters.size(); ++i) append_utf8(text, characters[i]);
  return text;
}

}  // namespace espalier
