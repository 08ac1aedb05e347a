// SPDX-License-Identifier: Apache-2.0
// Code point classes by binary search in pinned tables, and a thin layer over utf8proc.
#include "data/text/unicode_classes.h"

#include <utf8proc.h>

#include <algorithm>
#include <iterator>
#include <span>

#include "data/text/unicode_tables.h"
#include "data/text/word_characters.h"

namespace espalier {

namespace {

bool contains(std::span<const CodeRange> ranges, char32_t c) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                      [](char32_t value, const CodeRange& range) { return value < range.first; });
  return after != ranges.begin() && c <= std::prev(after)->last;
}

// Letters of Unicode 16 and 17, which Hugging Face lowercases and utf8proc before 2.10 or 2.11 does not.
struct Lowering {
  char32_t first, last;
  int step, offset;
};
constexpr Lowering kNewLetters[] = {{0x1C89, 0x1C89, 1, 1},      {0xA7CB, 0xA7CB, 1, 0x264 - 0xA7CB},
                                    {0xA7CC, 0xA7CE, 2, 1},      {0xA7D2, 0xA7D4, 2, 1},
                                    {0xA7DA, 0xA7DA, 1, 1},      {0xA7DC, 0xA7DC, 1, 0x19B - 0xA7DC},
                                    {0x10D50, 0x10D65, 1, 0x20}, {0x16EA0, 0x16EB8, 1, 0x1B}};

}  // namespace

bool is_dropped(char32_t c) { return contains(kDropped, c); }
bool is_space(char32_t c) { return contains(kSpace, c); }
bool is_chinese(char32_t c) { return contains(kChinese, c); }
bool is_punctuation(char32_t c) { return contains(kPunctuation, c); }
bool is_nonspacing_mark(char32_t c) { return contains(kNonspacingMark, c); }
bool is_word_character(char32_t c) { return contains(kWordCharacter, c); }
bool is_white_space(char32_t c) { return contains(kStripped, c); }

char32_t read_code_point(std::string_view text, std::size_t& position) {
  const auto rest = text.substr(position, 4);
  utf8proc_int32_t c = 0;
  const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(rest.data()),
                                       static_cast<utf8proc_ssize_t>(rest.size()), &c);
  position += length > 0 ? static_cast<std::size_t>(length) : 1;
  return length > 0 ? static_cast<char32_t>(c) : U'\uFFFD';
}

bool is_utf8(std::string_view text) {
  for (std::size_t position = 0; position < text.size();)
    if (static_cast<unsigned char>(text[position]) < 128)
      ++position;
    else if (read_code_point(text, position) == U'\uFFFD' && !text.substr(0, position).ends_with("\uFFFD"))
      return false;
  return true;
}

void append_utf8(std::string& text, char32_t c) {
  std::array<utf8proc_uint8_t, 4> bytes;
  const auto length = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

Decomposition decompose(char32_t c) {
  std::array<utf8proc_int32_t, 4> codes;
  int boundary_state = 0;
  const auto size = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), codes.data(), codes.size(),
                                            UTF8PROC_DECOMPOSE, &boundary_state);
  const bool changes = size != 1 || static_cast<char32_t>(codes[0]) != c;
  const auto combining_class = [](utf8proc_int32_t code) -> int {
    return utf8proc_get_property(code)->combining_class;
  };
  if (size < 1 || size > 4 || ((changes || combining_class(codes[0]) != 0) && contains(kNewerThanNfd, c)))
    return {{{{c, 0}}}, 1};
  Decomposition result{{}, static_cast<int>(size)};
  for (int i = 0; i < result.size; ++i) result.parts[i] = {static_cast<char32_t>(codes[i]), combining_class(codes[i])};
  return result;
}

char32_t to_lower(char32_t c) {
  for (const auto& [first, last, step, offset] : kNewLetters)
    if (c >= first && c <= last && (c - first) % step == 0) return c + offset;
  return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
}

}  // namespace espalier
