// SPDX-License-Identifier: Apache-2.0
#include "data/text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

// Where the last code point begins of a text that is not empty.
std::size_t last_code_point(std::string_view text) {
  std::size_t at = text.size() - 1;
  while (at > 0 && text.size() - at < 4 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
  return at;
}

bool ends_with_word(std::string_view text) {
  if (text.empty()) return false;
  std::size_t at = last_code_point(text);
  return is_word_character(read_code_point(text, at));
}

bool starts_with_word(std::string_view text) {
  std::size_t at = 0;
  return !text.empty() && is_word_character(read_code_point(text, at));
}

std::size_t skip_space_back(std::string_view text, std::size_t at) {
  while (at > 0) {
    const std::size_t before = last_code_point(text.substr(0, at));
    std::size_t end = before;
    if (!is_white_space(read_code_point(text, end))) break;
    at = before;
  }
  return at;
}

std::size_t skip_space(std::string_view text, std::size_t at) {
  for (std::size_t end = at; end < text.size() && is_white_space(read_code_point(text, end));) at = end;
  return at;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<Token> tokens) : tokens_(std::move(tokens)) {
  std::stable_sort(tokens_.begin(), tokens_.end(), [](const Token& a, const Token& b) { return a.text < b.text; });
  const auto repeats = [](const Token& a, const Token& b) { return a.text == b.text; };
  tokens_.erase(std::unique(tokens_.begin(), tokens_.end(), repeats), tokens_.end());
  for (const Token& token : tokens_) {
    CHECK(!token.text.empty(), "an added token with the id ", token.id, " is empty; expected a text to look for");
    starts_[static_cast<unsigned char>(token.text[0])] = true;
  }
}

std::optional<AddedTokens::Found> AddedTokens::find(std::string_view text, std::size_t next, std::size_t done) const {
  while (next < text.size()) {
    const bool may_start = starts_[static_cast<unsigned char>(text[next])];
    const Token* const token = may_start ? longest_at(text.substr(next)) : nullptr;
    if (token == nullptr) {
      ++next;
      continue;
    }
    std::size_t begin = next, end = next += token->text.size();
    if (token->single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
    if (token->lstrip) begin = std::max(done, skip_space_back(text, begin));
    if (token->rstrip) end = skip_space(text, end);
    if (begin >= end) continue;  // of white space that the token before it took
    return Found{begin, end, next, token->id};
  }
  return std::nullopt;
}

// The longest token that the text begins with, or null: the tokens that agree with it are narrowed down byte by byte.
const AddedTokens::Token* AddedTokens::longest_at(std::string_view text) const {
  const Token* longest = nullptr;
  auto first = tokens_.begin(), last = tokens_.end();
  for (std::size_t i = 0; i < text.size() && first != last; ++i) {
    const auto byte = [i](const Token& token) {  // -1 at the end: shorter texts come first
      return token.text.size() > i ? static_cast<int>(static_cast<unsigned char>(token.text[i])) : -1;
    };
    const int wanted = static_cast<unsigned char>(text[i]);
    first = std::lower_bound(first, last, wanted, [&](const Token& token, int value) { return byte(token) < value; });
    last = std::upper_bound(first, last, wanted, [&](int value, const Token& token) { return value < byte(token); });
    if (first != last && first->text.size() == i + 1) longest = &*first;
  }
  return longest;
}

}  // namespace espalier
