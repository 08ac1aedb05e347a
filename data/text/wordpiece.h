// SPDX-License-Identifier: Apache-2.0
// BERT's WordPiece tokenizer, cased and uncased, with the token ids of Hugging Face's BertTokenizerFast (tokenizers
// 0.23). Immutable after construction, so that any number of threads may encode with one object. Used by the loader and
// by every program that reads text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/text/bert_words.h"

namespace espalier {

class WordPiece {
 public:
  // Token i of the vocabulary has id i. Throws Error, naming all of them, if [PAD], [UNK], [CLS], [SEP] or an added
  // token is missing, for an empty or repeated token, and for an added token of which nothing is left in normalized
  // text.
  WordPiece(std::vector<std::string> vocabulary, TokenizerOptions options);

  // Reads a Hugging Face directory as AutoTokenizer of transformers 5 does. Its BertTokenizer takes the vocabulary from
  // tokenizer.json, or else vocab.txt, and the rest from tokenizer_config.json, special_tokens_map.json and
  // added_tokens.json; only where tokenizer_config.json names no BERT tokenizer but PreTrainedTokenizerFast or
  // TokenizersBackend is tokenizer.json taken as a whole. Throws Error for a missing or unreadable vocabulary, for two
  // that contradict each other, and for all that gives other ids and is not applied here.
  static WordPiece from_directory(const std::filesystem::path& directory);

  // One token per line, without white space at its end. Throws Error with path and line, as Lines does.
  static std::vector<std::string> read_vocabulary(const std::filesystem::path& vocab_txt);

  struct Encoding {
    std::vector<int32_t> ids, segments;  // the same length; segments are 0, and 1 for the second text and its [SEP]
  };

  // [CLS] text [SEP], text cut at the end to max_length ids in all (at least 2).
  Encoding encode(std::string_view text, int max_length) const;

  // [CLS] first [SEP] second [SEP], the longer text cut first as Hugging Face does; max_length at least 3.
  Encoding encode_pair(std::string_view first, std::string_view second, int max_length) const;

  // The tokens that cutting the text into pieces comes to, as often as it does: those of encode() without [CLS] and
  // [SEP], and those of words that then turn out to be [UNK]. A smaller vocabulary that has them cuts the text alike.
  std::vector<int32_t> tokens_met(std::string_view text) const;

  // Special and added tokens: those that are found whole in a text.
  const std::vector<int32_t>& whole_tokens() const { return whole_; }

  const std::vector<std::string>& vocabulary() const { return vocabulary_; }
  const TokenizerOptions& options() const { return options_; }
  // What the files of a directory say that is not used, a sentence each; empty unless from_directory made this.
  const std::vector<std::string>& notes() const { return notes_; }
  int size() const { return static_cast<int>(vocabulary_.size()); }
  const std::string& token(int32_t id) const;  // throws Error outside [0, size())
  int32_t pad() const { return pad_; }
  int32_t unk() const { return unk_; }
  int32_t cls() const { return cls_; }
  int32_t sep() const { return sep_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using Ids = std::unordered_map<std::string, int32_t, Hash, std::equal_to<>>;

  enum class DeadEnds { dropped, kept };  // the pieces before the place where a word cannot be cut further

  void add_whole_tokens();
  void append_ids(std::string_view text, std::size_t enough, std::vector<int32_t>& ids,
                  DeadEnds dead_ends = DeadEnds::dropped) const;
  void append_pieces(std::string_view word, std::vector<int32_t>& ids, DeadEnds dead_ends) const;

  std::vector<std::string> vocabulary_;
  TokenizerOptions options_;
  Ids words_, suffixes_;     // suffixes_ without their ##
  std::size_t longest_ = 0;  // bytes of the longest key
  std::vector<int32_t> whole_;
  AddedTokens raw_, normalized_;  // found before a text is normalized, and after
  int32_t pad_, unk_, cls_, sep_;
  std::vector<std::string> notes_;
};

}  // namespace espalier
