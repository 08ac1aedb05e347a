// SPDX-License-Identifier: Apache-2.0
// BERT's WordPiece, cased and uncased: text is split into words, and each word is cut greedily into the longest pieces
// that the vocabulary has (Wu et al. 2016, "Google's Neural Machine Translation System"; Devlin et al. 2019, "BERT").
// Used by Tokenizer, which finds the special and added tokens first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/bert_words.h"
#include "data/text/byte_table.h"
#include "data/text/tokenizer_options.h"

namespace espalier {

class WordPiece {
 public:
  // `unk` stands for a word that cannot be cut. Added tokens that are no pieces do not count.
  WordPiece(std::span<const std::string> vocabulary, const TokenizerOptions& options, int32_t unk);

  std::string normalize(std::string_view text) const { return BertWords::normalize(text, options_); }

  // Appends the ids of a part of a text. May stop once `ids` has `enough`. With Wanted::all_met the pieces stay that
  // stand before the place where a word cannot be cut further.
  using Text = BertWords::Text;
  enum class Wanted { result, all_met };
  void append(std::string_view part, Text kind, std::size_t enough, std::vector<int32_t>& ids, Wanted wanted) const;

 private:
  void append_word(std::string_view word, std::vector<int32_t>& ids, Wanted wanted) const;
  bool is_too_long(std::string_view word) const;

  TokenizerOptions options_;
  ByteTable words_, suffixes_;  // suffixes_ without their ##
  int32_t unk_;
};

}  // namespace espalier
