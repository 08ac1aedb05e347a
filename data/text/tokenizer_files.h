// SPDX-License-Identifier: Apache-2.0
// The tokenizer files of a Hugging Face directory, read as AutoTokenizer of transformers 5 reads them. Used by
// Tokenizer::from_directory only.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/tokenizer_options.h"

namespace espalier {

struct TokenizerFiles {
  std::filesystem::path directory;
  nlohmann::json tokenizer, config, special_tokens, added_tokens;  // objects; empty ones where there is no file
  TokenizerKind kind = TokenizerKind::wordpiece;
  // How AutoTokenizer comes to its answer. True: BertTokenizer or RobertaTokenizer builds the tokenizer from the
  // vocabulary and tokenizer_config.json. False: tokenizer.json is the tokenizer.
  bool rebuilt = true;
  bool segments = true;                 // whether the second text of a pair is segment 1, as far as the class decides
  std::vector<std::string> notes = {};  // what is not used, a sentence each

  std::filesystem::path tokenizer_json() const { return directory / "tokenizer.json"; }
  std::filesystem::path vocab_json() const { return directory / "vocab.json"; }
  std::filesystem::path config_json() const { return directory / "tokenizer_config.json"; }
};

// Throws Error for what is no JSON object, and for a tokenizer class that is neither BERT's nor RoBERTa's.
TokenizerFiles read_tokenizer_files(const std::filesystem::path& directory);

// The tokens of tokenizer.json, or else of vocab.txt or vocab.json, without those that are merely added. Throws Error
// where there are none and where two files contradict each other.
std::vector<std::string> read_vocabulary(TokenizerFiles& files);

// Of a byte-level BPE: the merges of tokenizer.json, or else of merges.txt, checked against the vocabulary. Throws
// Error, with file and line, as ByteLevelBpe::check_merges does.
std::vector<std::string> read_merges(const TokenizerFiles& files, const std::vector<std::string>& vocabulary);

// All options but merges and added tokens. Throws Error for settings that lead to other ids and are not applied here;
// those that are not used are noted.
TokenizerOptions read_options(TokenizerFiles& files);

// The added and special tokens that the files name, by ids, without those that Tokenizer knows anyway. New ones are put
// at the end of the vocabulary. Throws Error for ids that AutoTokenizer would not give them.
std::vector<AddedToken> read_added_tokens(TokenizerFiles& files, const SpecialTokens& special,
                                          std::vector<std::string>& vocabulary);

// The roles that the files give, or else those of BERT or RoBERTa.
SpecialTokens read_special_tokens(const TokenizerFiles& files);

// Whether the model of tokenizer.json is a BPE.
bool is_bpe(const TokenizerFiles& files);
// Of a byte-level BPE: checks tokenizer.json. Whether a space goes before a text that begins without one.
bool read_prefix_space(TokenizerFiles& files);
// Throws Error unless the post-processor of tokenizer.json puts the special tokens where Tokenizer does.
void check_post_processor(const TokenizerFiles& files, const SpecialTokens& special);
// Throws Error unless the field has that value or is absent.
void require_value(const nlohmann::json& object, const char* name, const nlohmann::json& value,
                   const std::filesystem::path& path);
// The setting of an object in tokenizer.json; where AutoTokenizer does not look at it, the usual one, and a note if the
// two differ.
nlohmann::json setting(TokenizerFiles& files, const nlohmann::json& object, const char* name,
                       const nlohmann::json& usual);
// Notes fields of the object that are not among those known.
void note_unknown(TokenizerFiles& files, const nlohmann::json& object, const std::filesystem::path& path,
                  const std::string& where, std::initializer_list<std::string_view> known);
// A part of tokenizer.json's pipeline, which must be of the type `expected`; a Sequence of one is that one. Absent: an
// object of that type.
nlohmann::json pipeline_part(const TokenizerFiles& files, const char* name, const char* inner, const char* expected);

// The member of that name, an empty object where it is absent or null. Throws Error for what is no object.
nlohmann::json member(const nlohmann::json& object, const char* name, const std::filesystem::path& path);
// Unset where it is absent or null.
std::optional<bool> flag(const nlohmann::json& object, const char* name, const std::filesystem::path& path);
// A value as it is shown in messages.
std::string shown(const nlohmann::json& value);

}  // namespace espalier
