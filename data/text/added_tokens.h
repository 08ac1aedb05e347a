// SPDX-License-Identifier: Apache-2.0
// Added tokens: texts that are one token wherever they stand, with the flags of Hugging Face's tokenizers, and how they
// are found in a text. Used by WordPiece.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct AddedToken {
  std::string content;
  bool special = false;      // of two tokens that stand for the same text, a special one is found
  bool normalized = false;   // found in the normalized text, where its content is normalized, too; else in the raw text
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space behind it
  bool single_word = false;  // found only where no letter, mark, digit or underscore stands next to it
  bool piece = true;         // of the vocabulary proper: words may be cut into it, too
  bool operator==(const AddedToken&) const = default;
};

// Finds tokens in a text as tokenizers does: from left to right, the longest one where several begin.
class AddedTokens {
 public:
  struct Token {
    std::string text;
    int32_t id;
    bool lstrip, rstrip, single_word;
  };

  // No text may be empty. Of two with the same text the first one counts.
  explicit AddedTokens(std::vector<Token> tokens = {});

  bool empty() const { return tokens_.empty(); }

  struct Found {
    std::size_t begin, end;  // of the token with the white space that it takes
    std::size_t next;        // where to look for the next one
    int32_t id;
  };
  // The first token from `next` on, the Found::next of the last one; `done` is its Found::end. Both are 0 at first.
  std::optional<Found> find(std::string_view text, std::size_t next, std::size_t done) const;

 private:
  const Token* longest_at(std::string_view text) const;

  std::vector<Token> tokens_;          // sorted by text
  std::array<bool, 256> starts_ = {};  // the first bytes
};

}  // namespace espalier
