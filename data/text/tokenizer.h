// SPDX-License-Identifier: Apache-2.0
// Tokenizer: text to token ids, with the ids of Hugging Face's tokenizers: BERT's WordPiece or byte-level BPE, with the
// special and added tokens around them. Immutable after construction, so that any number of threads may encode with one
// object. Used by the loader and by every program that reads text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "data/text/byte_level_bpe.h"
#include "data/text/tokenizer_options.h"
#include "data/text/wordpiece.h"

namespace espalier {

class Tokenizer {
 public:
  // Token i of the vocabulary has id i. Throws Error, naming all of them, if a special token but that for masks or an
  // added token is missing, for an empty or repeated token, for an added token of which nothing is left in normalized
  // text, and as ByteLevelBpe does.
  Tokenizer(std::vector<std::string> vocabulary, TokenizerOptions options);

  // Reads a Hugging Face directory as AutoTokenizer of transformers 5 does. Its BertTokenizer takes the vocabulary from
  // tokenizer.json, or else vocab.txt, its RobertaTokenizer from tokenizer.json, or else vocab.json and merges.txt, and
  // the rest from tokenizer_config.json, special_tokens_map.json and added_tokens.json; only where
  // tokenizer_config.json names neither but PreTrainedTokenizerFast or TokenizersBackend is tokenizer.json taken as a
  // whole. Throws Error for a missing or unreadable vocabulary, for two that contradict each other, and for all that
  // gives other ids and is not applied here.
  static Tokenizer from_directory(const std::filesystem::path& directory);

  // vocab.txt: one token per line, without white space at its end. Throws Error with path and line, as Lines does.
  static std::vector<std::string> read_vocabulary(const std::filesystem::path& vocab_txt);

  struct Encoding {
    std::vector<int32_t> ids, segments;  // the same length; segments are 0, and 1 for the second text and its [SEP]
  };

  // [CLS] text [SEP], text cut at the end to max_length ids in all (at least 2).
  Encoding encode(std::string_view text, int max_length) const;

  // [CLS] first [SEP] second [SEP], the longer text cut first as Hugging Face does. Byte-level BPE has two [SEP]
  // between the texts, and segment 0 only. max_length is at least 3, or 4.
  Encoding encode_pair(std::string_view first, std::string_view second, int max_length) const;

  // The tokens that cutting the text into pieces comes to, as often as it does: those of encode() without [CLS] and
  // [SEP]; of WordPiece also those of words that then turn out to be [UNK], of BPE those that are merged further. A
  // smaller vocabulary that has them cuts the text alike.
  std::vector<int32_t> tokens_met(std::string_view text) const;

  // Special and added tokens: those that are found whole in a text.
  const std::vector<int32_t>& whole_tokens() const { return whole_; }

  const std::vector<std::string>& vocabulary() const { return vocabulary_; }
  const TokenizerOptions& options() const { return options_; }
  // What the files of a directory say that is not used, a sentence each; empty unless from_directory made this.
  const std::vector<std::string>& notes() const { return notes_; }
  int size() const { return static_cast<int>(vocabulary_.size()); }
  const std::string& token(int32_t id) const;  // throws Error outside [0, size())
  bool continues_word(int32_t id) const;       // ## and what follows; of BPE what does not begin with a space
  int32_t pad() const { return pad_; }
  int32_t unk() const { return unk_; }
  int32_t cls() const { return cls_; }
  int32_t sep() const { return sep_; }
  std::optional<int32_t> mask() const { return mask_; }

 private:
  using Pieces = std::variant<WordPiece, ByteLevelBpe>;

  bool is_bpe() const { return options_.kind == TokenizerKind::byte_level_bpe; }
  void find_special_tokens();
  Pieces make_pieces();
  void add_whole_tokens();
  void append_ids(std::string_view text, std::size_t enough, std::vector<int32_t>& ids,
                  WordPiece::Wanted wanted = WordPiece::Wanted::result) const;

  std::vector<std::string> vocabulary_;
  TokenizerOptions options_;
  int32_t pad_ = -1, unk_ = -1, cls_ = -1, sep_ = -1;
  std::optional<int32_t> mask_;
  std::vector<int32_t> whole_;
  AddedTokens raw_, normalized_;  // found before a text is normalized, and after
  std::vector<std::string> notes_;
  Pieces pieces_;
};

}  // namespace espalier
