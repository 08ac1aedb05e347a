// SPDX-License-Identifier: Apache-2.0
#include "data/text/gpt2_words.h"

#include <array>
#include <cstdint>

#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

enum class Sort : uint8_t { other, letter, number, space };

Sort sort_of(char32_t c) {
  if (is_letter(c)) return Sort::letter;
  if (is_numeric(c)) return Sort::number;
  return is_white_space(c) ? Sort::space : Sort::other;
}

constexpr std::array<Sort, 128> kSorts = [] {
  std::array<Sort, 128> sorts{};
  for (int c = 0; c < 128; ++c) {
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')) sorts[c] = Sort::letter;
    if (c >= '0' && c <= '9') sorts[c] = Sort::number;
    if (c == ' ' || (c >= '\t' && c <= '\r')) sorts[c] = Sort::space;
  }
  return sorts;
}();

// The sort of the character at `at`, which is moved behind it.
Sort read_sort(std::string_view text, std::size_t& at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte < 128) {
    ++at;
    return kSorts[byte];
  }
  return sort_of(read_code_point(text, at));
}

std::size_t end_of_run(std::string_view text, std::size_t at, Sort sort) {
  for (std::size_t next = at; next < text.size() && read_sort(text, next) == sort;) at = next;
  return at;
}

// The length of a contraction at the beginning; 0: there is none.
std::size_t contraction(std::string_view text) {
  for (const std::string_view one : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d"})
    if (text.starts_with(one)) return one.size();
  return 0;
}

// Of white space before a word the last character is left to the word, or stands alone.
std::size_t end_of_space(std::string_view text, std::size_t begin) {
  std::size_t at = begin, last = begin;
  for (std::size_t next = at; next < text.size() && read_sort(text, next) == Sort::space;) {
    last = at;
    at = next;
  }
  return at == text.size() || last == begin ? at : last;
}

}  // namespace

std::size_t end_of_gpt2_word(std::string_view text, std::size_t begin) {
  if (text[begin] == '\'')
    if (const std::size_t length = contraction(text.substr(begin)); length > 0) return begin + length;
  std::size_t at = begin;
  Sort sort = read_sort(text, at);
  if (text[begin] == ' ' && at < text.size()) {
    std::size_t next = at;
    if (const Sort behind = read_sort(text, next); behind != Sort::space) {
      sort = behind;
      at = next;
    }
  }
  return sort == Sort::space ? end_of_space(text, begin) : end_of_run(text, at, sort);
}

}  // namespace espalier
