// SPDX-License-Identifier: Apache-2.0
// The tokenizer files of a Hugging Face directory, read as AutoTokenizer of transformers 5 reads them. Used by
// WordPiece::from_directory only.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "data/text/tokenizer_options.h"

namespace espalier {

struct TokenizerFiles {
  std::filesystem::path directory;
  nlohmann::json tokenizer, config, special_tokens, added_tokens;  // objects; empty ones where there is no file
  // How AutoTokenizer comes to its answer. True: BertTokenizer builds the tokenizer from the vocabulary and
  // tokenizer_config.json. False: tokenizer.json is the tokenizer.
  bool rebuilt = true;
  bool segments = true;                 // whether the second text of a pair is segment 1, as far as the class decides
  std::vector<std::string> notes = {};  // what is not used, a sentence each

  std::filesystem::path tokenizer_json() const { return directory / "tokenizer.json"; }
  std::filesystem::path config_json() const { return directory / "tokenizer_config.json"; }
};

// Throws Error for what is no JSON object, and for a tokenizer class that is not BERT's.
TokenizerFiles read_tokenizer_files(const std::filesystem::path& directory);

// The tokens of tokenizer.json, or else of vocab.txt, without those that are merely added. Throws Error where there are
// none and where the two files contradict each other.
std::vector<std::string> read_vocabulary(TokenizerFiles& files);

// All options but the added tokens. Throws Error for settings that lead to other ids and are not applied here; those
// that are not used are noted.
TokenizerOptions read_options(TokenizerFiles& files);

// The added and special tokens that the files name, by ids, without those that WordPiece knows anyway. New ones are put
// at the end of the vocabulary. Throws Error for ids that AutoTokenizer would not give them, and for other names of
// [CLS] and its like.
std::vector<AddedToken> read_added_tokens(TokenizerFiles& files, std::vector<std::string>& vocabulary);

// The member of that name, an empty object where it is absent or null. Throws Error for what is no object.
nlohmann::json member(const nlohmann::json& object, const char* name, const std::filesystem::path& path);
// Unset where it is absent or null.
std::optional<bool> flag(const nlohmann::json& object, const char* name, const std::filesystem::path& path);
// A value as it is shown in messages.
std::string shown(const nlohmann::json& value);

}  // namespace espalier
