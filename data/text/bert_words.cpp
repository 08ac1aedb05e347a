// SPDX-License-Identifier: Apache-2.0
// BertWords: code points go through clean_text, CJK spacing, NFD, accent stripping and lowercasing one at a time; only
// combining marks are held back, until the next starter fixes their canonical order. Words of ASCII alone take a short
// way.
#include "data/text/bert_words.h"

#include <algorithm>
#include <array>

namespace espalier {

namespace {

enum class Kind : char { kWord, kPunctuation, kSpace, kDropped };

constexpr std::array<Kind, 128> kAscii = [] {
  std::array<Kind, 128> classes{};
  for (int c = 0; c < 128; ++c) {
    const bool letter = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r')
      classes[c] = Kind::kSpace;
    else if (c < ' ' || c == 127)
      classes[c] = Kind::kDropped;
    else
      classes[c] = letter ? Kind::kWord : Kind::kPunctuation;
  }
  return classes;
}();

constexpr char32_t ascii_lower(char32_t c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; }

}  // namespace

BertWords::BertWords(std::string_view text, const TokenizerOptions& options, Text kind)
    : text_(text),
      normalized_(kind == Text::normalized),
      lowercase_(options.lowercase),
      strip_accents_(options.strip_accents.value_or(options.lowercase)),
      tokenize_chinese_chars_(options.tokenize_chinese_chars) {}

std::string BertWords::normalize(std::string_view text, const TokenizerOptions& options) {
  std::string result;
  BertWords reader(text, options);
  while (reader.refill())
    for (const auto& part : reader.ready_) append_utf8(result, part.c);
  return result;
}

std::string_view BertWords::next() {
  word_.clear();
  while (true) {
    if (used_ == ready_.size()) {
      if (word_.empty())
        if (const std::string_view word = next_ascii(); !word.empty()) return word;
      if (!refill()) return word_;
    }
    const char32_t c = ready_[used_].c;
    const auto kind = c < 128 ? kAscii[c] : is_punctuation(c) ? Kind::kPunctuation : Kind::kWord;
    if (kind != Kind::kWord && !word_.empty()) return word_;
    ++used_;
    if (kind == Kind::kSpace) continue;
    append_utf8(word_, c);
    if (kind == Kind::kPunctuation) return word_;
  }
}

// The next word, if it is ASCII and no character follows that may belong to it; else empty. Skips white space.
std::string_view BertWords::next_ascii() {
  const auto kind = [&](std::size_t at) {
    const auto byte = static_cast<unsigned char>(text_[at]);
    return byte < 128 ? kAscii[byte] : Kind::kDropped;
  };
  while (position_ < text_.size() && kind(position_) == Kind::kSpace) ++position_;
  std::size_t end = position_;
  while (end < text_.size() && kind(end) == Kind::kWord) ++end;
  if (end == position_ && end < text_.size() && kind(end) == Kind::kPunctuation) ++end;
  if (end < text_.size() && kind(end) == Kind::kDropped) return {};
  const std::string_view word = text_.substr(position_, end - position_);
  position_ = end;
  if (!lowercase_) return word;
  word_.assign(word);
  for (char& c : word_) c = static_cast<char>(ascii_lower(static_cast<unsigned char>(c)));
  return word_;
}

// Reads until at least one code point is ready and none waits. False at the end of the text.
bool BertWords::refill() {
  ready_.clear();
  used_ = marks_ = 0;
  while (position_ < text_.size() && (ready_.empty() || marks_ < ready_.size())) {
    const auto byte = static_cast<unsigned char>(text_[position_]);
    if (normalized_)
      push_as_it_is(read_code_point(text_, position_));
    else if (byte >= 128)
      push_cleaned(read_code_point(text_, position_));
    else if (++position_; kAscii[byte] != Kind::kDropped)
      push({kAscii[byte] == Kind::kSpace ? U' ' : byte, 0});
  }
  sort_marks();
  return !ready_.empty();
}

void BertWords::push_as_it_is(char32_t c) {
  ready_.push_back({c, 0});
  marks_ = ready_.size();
}

void BertWords::push_cleaned(char32_t c) {
  if (is_dropped(c)) return;
  if (is_space(c)) return push({U' ', 0});
  const bool set_apart = tokenize_chinese_chars_ && is_chinese(c);
  if (set_apart) push({U' ', 0});
  if (strip_accents_) {
    const auto [parts, size] = decompose(c);
    for (int i = 0; i < size; ++i) push(parts[i]);
  } else {
    push({c, 0});
  }
  if (set_apart) push({U' ', 0});
}

void BertWords::push(Decomposition::Part part) {
  if (part.combining_class == 0) sort_marks();
  if (strip_accents_ && part.c >= 128 && is_nonspacing_mark(part.c)) return;
  if (lowercase_) {
    if (part.c == U'\u0130') {
      ready_.push_back({U'i', 0});
      part.c = U'\u0307';
    } else {
      part.c = part.c < 128 ? ascii_lower(part.c) : to_lower(part.c);
    }
  }
  ready_.push_back(part);
  if (part.combining_class == 0) marks_ = ready_.size();
}

void BertWords::sort_marks() {
  std::stable_sort(ready_.begin() + static_cast<std::ptrdiff_t>(marks_), ready_.end(),
                   [](const auto& a, const auto& b) { return a.combining_class < b.combining_class; });
  marks_ = ready_.size();
}

}  // namespace espalier
