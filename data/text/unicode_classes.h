// SPDX-License-Identifier: Apache-2.0
// What Hugging Face's tokenizers know about single code points, pinned in unicode_tables.h and unicode_forms.h, so
// that ids are the same on every system; and UTF-8. Used by what reads and cuts text.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace espalier {

bool is_dropped(char32_t c);  // removed by clean_text: control, format, private use, NUL, U+FFFD
bool is_space(char32_t c);
bool is_chinese(char32_t c);
bool is_punctuation(char32_t c);
bool is_nonspacing_mark(char32_t c);

// Around added tokens, where other classes count.
bool is_word_character(char32_t c);
bool is_white_space(char32_t c);

// In GPT-2's words, whose white space is that above.
bool is_letter(char32_t c);
bool is_numeric(char32_t c);

// The code point that starts at text[position], which is moved behind it. A byte that starts no valid sequence reads as
// U+FFFD.
char32_t read_code_point(std::string_view text, std::size_t& position);

bool is_utf8(std::string_view text);

void append_utf8(std::string& text, char32_t c);

// A canonical decomposition: `size` code points and the combining class of each.
struct Decomposition {
  struct Part {
    char32_t c;
    int combining_class;
  };
  std::array<Part, 4> parts;
  int size;
};
Decomposition decompose(char32_t c);

// The lower-case letter, except that U+0130 gives only its first half: the second, U+0307, is the caller's.
char32_t to_lower(char32_t c);

}  // namespace espalier
