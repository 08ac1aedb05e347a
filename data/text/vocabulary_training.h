// SPDX-License-Identifier: Apache-2.0
// A vocabulary from texts: WordPiece or byte-level BPE. Used by train_vocab.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "data/text/table.h"
#include "data/text/tokenizer.h"

namespace espalier {

struct VocabularyTraining {
  TokenizerOptions options = {};  // how texts are cut into words; the special tokens
  int64_t size = 30000;           // tokens at most, the special ones and single characters among them
  int64_t least = 2;              // a piece is met at least so many times
  int64_t alphabet = 1000;        // of WordPiece: single characters at most, the most frequent ones

  // Throws Error where there is no word, and where the size has no room for special tokens and characters.
  // `progress` is told how many tokens there are.
  Tokenizer run(const std::unordered_map<std::string, int64_t>& words,
                const std::function<void(int64_t)>& progress = {}) const;
};

// Counts the words of texts, one after the other. The memory that it takes grows with the number of different words.
class WordCounts {
 public:
  explicit WordCounts(TokenizerOptions options) : options_(std::move(options)) {}

  void add(std::string_view text);
  // A table's texts, in the columns of `table`, or else lines; neither need fit into memory. `progress` is told the
  // bytes read, and of how many. Throws Error as Lines and ExampleReader do.
  void add_file(const std::filesystem::path& path, const TableOptions& table,
                const std::function<void(int64_t, int64_t)>& progress);
  const std::unordered_map<std::string, int64_t>& words() const { return words_; }

 private:
  TokenizerOptions options_;
  std::unordered_map<std::string, int64_t> words_;
  std::string word_;
};

}  // namespace espalier
