// SPDX-License-Identifier: Apache-2.0
// The words of a text as BERT sees them: Hugging Face's BertNormalizer and BertPreTokenizer (tokenizers 0.23) in one
// pass. Cleans the text, sets CJK characters apart, strips accents, lowercases, and cuts at white space and around
// punctuation. Used by WordPiece.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/tokenizer_options.h"
#include "data/text/unicode_classes.h"

namespace espalier {

class BertWords {
 public:
  // Keeps a view of `text`, which may hold any bytes: those that are not UTF-8 are dropped, as U+FFFD is.
  enum class Text { raw, normalized };
  BertWords(std::string_view text, const TokenizerOptions& options, Text kind = Text::raw);

  // The whole text as BertNormalizer leaves it, in UTF-8.
  static std::string normalize(std::string_view text, const TokenizerOptions& options);

  // The next word in normalized UTF-8, valid until the next call; empty at the end of the text.
  std::string_view next();

 private:
  std::string_view next_ascii();
  bool refill();
  void push_as_it_is(char32_t c);
  void push_cleaned(char32_t c);
  void push(Decomposition::Part part);
  void sort_marks();

  std::string_view text_;
  std::size_t position_ = 0;  // of the first byte not read yet
  bool normalized_, lowercase_, strip_accents_, tokenize_chinese_chars_;
  std::string word_;
  std::vector<Decomposition::Part> ready_;  // normalized code points; those before used_ are in a word already,
  std::size_t used_ = 0, marks_ = 0;        // those from marks_ on are combining marks that wait for the next starter
};

}  // namespace espalier
