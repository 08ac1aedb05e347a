// SPDX-License-Identifier: Apache-2.0
#include "data/models/tokenizer_export.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/check.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

bool has_merges(const Tokenizer& tokenizer) { return tokenizer.options().kind == TokenizerKind::byte_level_bpe; }

std::vector<std::pair<const char*, std::string>> roles(const SpecialTokens& special) {
  return {{"pad_token", special.pad},
          {"unk_token", special.unk},
          {"cls_token", special.cls},
          {"sep_token", special.sep},
          {"mask_token", special.mask}};
}

// Up to the last token that is more than an added one.
std::span<const std::string> pieces(const Tokenizer& tokenizer) {
  std::set<std::string_view> added;
  for (const AddedToken& token : tokenizer.options().added_tokens)
    if (!token.piece) added.insert(token.content);
  std::span<const std::string> tokens = tokenizer.vocabulary();
  while (!tokens.empty() && added.contains(tokens.back())) tokens = tokens.first(tokens.size() - 1);
  return tokens;
}

std::string vocab_txt(const Tokenizer& tokenizer, const std::string& source) {
  std::string text;
  for (const std::string& token : pieces(tokenizer)) {
    CHECK(token.find_first_of("\r\n") == std::string::npos && is_utf8(token), source, ": the token ",
          Json(token).dump(-1, ' ', true, Json::error_handler_t::replace),
          " has a line break or is not UTF-8; vocab.txt cannot hold it");
    text += token + '\n';
  }
  return text;
}

// Ids by tokens, in the order of the ids.
nlohmann::ordered_json ids_of(const Tokenizer& tokenizer) {
  nlohmann::ordered_json ids = nlohmann::ordered_json::object();
  for (const std::string& token : pieces(tokenizer)) ids.push_back({token, ids.size()});
  return ids;
}

std::string merges_txt(const Tokenizer& tokenizer) {
  std::string text = "#version: 0.2\n";
  for (const std::string& merge : tokenizer.options().merges) text += merge + '\n';
  return text;
}

// The added tokens with what Tokenizer takes for one anyway, and their ids.
std::map<int64_t, AddedToken> added_tokens(const Tokenizer& tokenizer, bool usual) {
  std::map<int64_t, AddedToken> tokens;
  const auto& vocabulary = tokenizer.vocabulary();
  const auto place = [&](std::string_view token) { return std::ranges::find(vocabulary, token) - vocabulary.begin(); };
  for (const AddedToken& token : tokenizer.options().added_tokens) tokens[place(token.content)] = token;
  for (const auto& [role, text] : roles(tokenizer.options().special))
    if (const int64_t id = place(text); usual && id < std::ssize(vocabulary))
      tokens.try_emplace(id, AddedToken{.content = text, .special = true});
  return tokens;
}

Json to_json(const AddedToken& token) {
  return {{"content", token.content},         {"lstrip", token.lstrip},         {"rstrip", token.rstrip},
          {"single_word", token.single_word}, {"normalized", token.normalized}, {"special", token.special}};
}

// AutoTokenizer's BertTokenizer knows words of 100 characters only; otherwise tokenizer.json has to be taken whole.
Json tokenizer_config(const Tokenizer& tokenizer, const ModelInput& input) {
  const TokenizerOptions& options = tokenizer.options();
  const bool bpe = has_merges(tokenizer), whole = !bpe && options.longest_word != TokenizerOptions().longest_word;
  Json json = {{"tokenizer_class", bpe     ? "RobertaTokenizer"
                                   : whole ? "PreTrainedTokenizerFast"
                                           : "BertTokenizer"},
               {"model_max_length", input.max_length}};
  for (const auto& [role, token] : roles(options.special)) json[role] = token;
  if (!tokenizer.mask()) json["mask_token"] = nullptr;
  for (const auto& [id, token] : added_tokens(tokenizer, false))
    json["added_tokens_decoder"][std::to_string(id)] = to_json(token);
  if (bpe) {
    json["bos_token"] = options.special.cls;
    json["eos_token"] = options.special.sep;
    json["add_prefix_space"] = options.add_prefix_space;
    return json;
  }
  json["do_lower_case"] = options.lowercase;
  json["strip_accents"] = options.strip_accents ? Json(*options.strip_accents) : Json();
  json["tokenize_chinese_chars"] = options.tokenize_chinese_chars;
  const bool segments = options.segments && input.segments;
  if (!segments) json["model_input_names"] = {"input_ids", "attention_mask"};
  if (segments && whole) json["model_input_names"] = {"input_ids", "token_type_ids", "attention_mask"};
  return json;
}

// [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with B as segment 1; of RoBERTa <s> A </s> and <s> A </s> </s> B </s>.
Json post_processor(const Tokenizer& tokenizer) {
  const TokenizerOptions& options = tokenizer.options();
  const auto& [pad_name, unk_name, cls, sep, mask_name] = options.special;
  if (has_merges(tokenizer))
    return {{"type", "RobertaProcessing"},
            {"sep", {sep, tokenizer.sep()}},
            {"cls", {cls, tokenizer.cls()}},
            {"trim_offsets", true},
            {"add_prefix_space", options.add_prefix_space}};
  const auto special = [](const std::string& id, int type) {
    return Json{{"SpecialToken", {{"id", id}, {"type_id", type}}}};
  };
  const auto text = [](const char* id, int type) { return Json{{"Sequence", {{"id", id}, {"type_id", type}}}}; };
  const auto ids = [](const std::string& token, int32_t id) {
    return Json{{"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({token})}};
  };
  Json tokens = Json::object();
  tokens[cls] = ids(cls, tokenizer.cls());
  tokens[sep] = ids(sep, tokenizer.sep());
  return {{"type", "TemplateProcessing"},
          {"single", {special(cls, 0), text("A", 0), special(sep, 0)}},
          {"pair", {special(cls, 0), text("A", 0), special(sep, 0), text("B", 1), special(sep, 1)}},
          {"special_tokens", std::move(tokens)}};
}

void add_wordpiece(const Tokenizer& tokenizer, nlohmann::ordered_json& json) {
  const TokenizerOptions& options = tokenizer.options();
  json["normalizer"] = {{"type", "BertNormalizer"},
                        {"clean_text", true},
                        {"handle_chinese_chars", options.tokenize_chinese_chars},
                        {"strip_accents", options.strip_accents ? Json(*options.strip_accents) : Json()},
                        {"lowercase", options.lowercase}};
  json["pre_tokenizer"] = {{"type", "BertPreTokenizer"}};
  json["decoder"] = {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}};
  json["model"] = {{"type", "WordPiece"},
                   {"unk_token", options.special.unk},
                   {"continuing_subword_prefix", "##"},
                   {"max_input_chars_per_word", options.longest_word},
                   {"vocab", ids_of(tokenizer)}};
}

void add_byte_level(const Tokenizer& tokenizer, nlohmann::ordered_json& json) {
  const TokenizerOptions& options = tokenizer.options();
  const Json words = {{"type", "ByteLevel"},
                      {"add_prefix_space", options.add_prefix_space},
                      {"trim_offsets", true},
                      {"use_regex", true}};
  json["normalizer"] = nullptr;
  json["pre_tokenizer"] = words;
  json["decoder"] = words;
  json["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", ""},
                   {"end_of_word_suffix", ""},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", false},
                   {"vocab", ids_of(tokenizer)},
                   {"merges", options.merges}};
}

// The whole tokenizer, as the library tokenizers writes it.
std::string tokenizer_json(const Tokenizer& tokenizer) {
  nlohmann::ordered_json json = {{"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}};
  json["added_tokens"] = nlohmann::ordered_json::array();
  for (const auto& [id, token] : added_tokens(tokenizer, true)) {
    nlohmann::ordered_json entry = to_json(token);
    entry["id"] = id;
    json["added_tokens"].push_back(std::move(entry));
  }
  has_merges(tokenizer) ? add_byte_level(tokenizer, json) : add_wordpiece(tokenizer, json);
  json["post_processor"] = post_processor(tokenizer);
  return json.dump(0) + '\n';
}

}  // namespace

std::map<std::string, std::string> tokenizer_files(const Tokenizer& tokenizer, const std::string& source,
                                                   const ModelInput& input) {
  std::map<std::string, std::string> files = {
      {"tokenizer.json", tokenizer_json(tokenizer)},
      {"tokenizer_config.json", tokenizer_config(tokenizer, input).dump(2) + '\n'}};
  if (has_merges(tokenizer)) {
    files["vocab.json"] = ids_of(tokenizer).dump() + '\n';
    files["merges.txt"] = merges_txt(tokenizer);
  } else {
    files["vocab.txt"] = vocab_txt(tokenizer, source);
  }
  return files;
}

}  // namespace espalier
