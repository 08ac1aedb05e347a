// SPDX-License-Identifier: Apache-2.0
// TokenizerOptions: all of a tokenizer but its vocabulary. Used by Tokenizer, and by what stores or compares one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/text/added_tokens.h"

namespace espalier {

enum class TokenizerKind {
  wordpiece,       // BERT's
  byte_level_bpe,  // GPT-2's and RoBERTa's
};

// The names of the tokens that have a role, BERT's unless a model has others.
struct SpecialTokens {
  std::string pad = "[PAD]", unk = "[UNK]", cls = "[CLS]", sep = "[SEP]", mask = "[MASK]";
  bool operator==(const SpecialTokens&) const = default;

  static SpecialTokens roberta() { return {"<pad>", "<unk>", "<s>", "</s>", "<mask>"}; }
};

struct TokenizerOptions {
  // Of WordPiece.
  bool lowercase = true;
  std::optional<bool> strip_accents = {};  // unset: as lowercase
  bool tokenize_chinese_chars = true;
  bool segments = true;  // the second text of a pair is segment 1; else 0, as the first one

  std::vector<AddedToken> added_tokens = {};  // beside the special ones, which are always found in the raw text
  TokenizerKind kind = TokenizerKind::wordpiece;
  SpecialTokens special = {};
  int64_t longest_word = 100;  // code points; a longer word is unknown. Of WordPiece

  // Of byte-level BPE.
  bool add_prefix_space = false;         // before a text that begins without one
  std::vector<std::string> merges = {};  // "left right" in GPT-2's letters for bytes, the first to be done first

  bool operator==(const TokenizerOptions&) const = default;
};

}  // namespace espalier
