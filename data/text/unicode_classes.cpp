// SPDX-License-Identifier: Apache-2.0
// Code points by binary search in pinned tables, and UTF-8 (The Unicode Standard, section 3.9).
#include "data/text/unicode_classes.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "data/text/letters.h"
#include "data/text/unicode_forms.h"
#include "data/text/unicode_tables.h"
#include "data/text/word_characters.h"

namespace espalier {

namespace {

// The row of a table of ranges, sorted, that holds the code point; null: none does.
template <class Row>
const Row* row_of(std::span<const Row> rows, char32_t c) {
  const auto after =
      std::upper_bound(rows.begin(), rows.end(), c, [](char32_t value, const Row& row) { return value < row.first; });
  if (after == rows.begin() || c > std::prev(after)->last) return nullptr;
  return &*std::prev(after);
}

bool contains(std::span<const CodeRange> ranges, char32_t c) { return row_of(ranges, c) != nullptr; }

int combining_class(char32_t c) {
  const auto* const row = row_of(std::span<const ClassRange>(kCombiningClasses), c);
  return row != nullptr ? row->combining_class : 0;
}

// Hangul syllables are two or three letters (The Unicode Standard, section 3.12).
void append_hangul(char32_t c, Decomposition& to) {
  constexpr char32_t first = 0xAC00, lead = 0x1100, vowel = 0x1161, tail = 0x11A7, vowels = 21, tails = 28;
  const char32_t index = c - first;
  for (const char32_t part : {lead + index / tails / vowels, vowel + index / tails % vowels, tail + index % tails})
    if (part != tail) to.parts[to.size++] = {part, 0};
}

void append_decomposed(char32_t c, Decomposition& to) {
  if (c >= 0xAC00 && c <= 0xD7A3) return append_hangul(c, to);
  const auto* const step = std::lower_bound(std::begin(kDecompositions), std::end(kDecompositions), c,
                                            [](const DecompositionStep& s, char32_t value) { return s.c < value; });
  if (step == std::end(kDecompositions) || step->c != c) {
    to.parts[to.size++] = {c, combining_class(c)};
    return;
  }
  append_decomposed(step->first, to);
  if (step->second != 0) append_decomposed(step->second, to);
}

}  // namespace

bool is_dropped(char32_t c) { return contains(kDropped, c); }
bool is_space(char32_t c) { return contains(kSpace, c); }
bool is_chinese(char32_t c) { return contains(kChinese, c); }
bool is_punctuation(char32_t c) { return contains(kPunctuation, c); }
bool is_nonspacing_mark(char32_t c) { return contains(kNonspacingMark, c); }
bool is_word_character(char32_t c) { return contains(kWordCharacter, c); }
bool is_white_space(char32_t c) { return contains(kStripped, c); }
bool is_letter(char32_t c) { return contains(kLetter, c); }
bool is_numeric(char32_t c) { return contains(kNumber, c); }

char32_t read_code_point(std::string_view text, std::size_t& position) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return position + i < text.size() ? static_cast<unsigned char>(text[position + i]) : 0;
  };
  const char32_t lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  char32_t c = length > 1 ? lead & (0x7FU >> length) : lead;
  bool valid = length > 0;
  for (std::size_t i = 1; i < length; ++i) {
    valid &= (byte(i) & 0xC0U) == 0x80;
    c = c << 6 | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};  // of that many bytes
  valid = valid && c >= least[length] && c <= 0x10FFFF && (c < 0xD800 || c > 0xDFFF);
  position += valid ? length : 1;
  return valid ? c : U'\uFFFD';
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
  const auto add = [&](char32_t byte) { text += static_cast<char>(byte); };
  const auto follow = [&](int shift) { add(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return add(c);
  if (c < 0x800) {
    add(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    add(0xE0 | c >> 12);
    follow(6);
  } else {
    add(0xF0 | c >> 18);
    follow(12);
    follow(6);
  }
  follow(0);
}

Decomposition decompose(char32_t c) {
  Decomposition result{};
  append_decomposed(c, result);
  return result;
}

char32_t to_lower(char32_t c) {
  const auto* const row = row_of(std::span<const Lowering>(kLowerings), c);
  const bool listed = row != nullptr && (c - row->first) % static_cast<char32_t>(row->step) == 0;
  return listed ? c + static_cast<char32_t>(row->offset) : c;
}

}  // namespace espalier
