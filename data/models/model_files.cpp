// SPDX-License-Identifier: Apache-2.0
#include "data/models/model_files.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>

#include "core/check.h"
#include "data/models/hf.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

struct SpecialToken {
  const char* role;
  std::string_view text;
};
constexpr std::array<SpecialToken, 5> special_tokens = {{{"pad_token", "[PAD]"},
                                                         {"unk_token", "[UNK]"},
                                                         {"cls_token", "[CLS]"},
                                                         {"sep_token", "[SEP]"},
                                                         {"mask_token", "[MASK]"}}};

// Up to the last token that is more than an added one.
std::span<const std::string> pieces(const Tokenizer& tokenizer) {
  std::set<std::string_view> added;
  for (const AddedToken& token : tokenizer.options().added_tokens)
    if (!token.piece) added.insert(token.content);
  std::span<const std::string> tokens = tokenizer.vocabulary();
  while (!tokens.empty() && added.contains(tokens.back())) tokens = tokens.first(tokens.size() - 1);
  return tokens;
}

std::string vocabulary_text(const Model& model) {
  std::string text;
  for (const std::string& token : pieces(model.tokenizer)) {
    CHECK(token.find_first_of("\r\n") == std::string::npos && is_utf8(token), model.source, ": the token ",
          Json(token).dump(-1, ' ', true, Json::error_handler_t::replace),
          " has a line break or is not UTF-8; vocab.txt cannot hold it");
    text += token + '\n';
  }
  return text;
}

// The added tokens with what WordPiece takes for one anyway, and their ids.
std::map<int64_t, AddedToken> added_tokens(const Tokenizer& tokenizer, bool usual) {
  std::map<int64_t, AddedToken> tokens;
  const auto& vocabulary = tokenizer.vocabulary();
  const auto place = [&](std::string_view token) { return std::ranges::find(vocabulary, token) - vocabulary.begin(); };
  for (const AddedToken& token : tokenizer.options().added_tokens) tokens[place(token.content)] = token;
  for (const auto& [role, text] : special_tokens)
    if (const int64_t id = place(text); usual && id < std::ssize(vocabulary))
      tokens.try_emplace(id, AddedToken{.content = std::string(text), .special = true});
  return tokens;
}

Json to_json(const AddedToken& token) {
  return {{"content", token.content},         {"lstrip", token.lstrip},         {"rstrip", token.rstrip},
          {"single_word", token.single_word}, {"normalized", token.normalized}, {"special", token.special}};
}

Json tokenizer_config(const Tokenizer& tokenizer, const BertConfig& config) {
  const TokenizerOptions& options = tokenizer.options();
  Json json = {{"tokenizer_class", "BertTokenizer"},
               {"do_lower_case", options.lowercase},
               {"strip_accents", options.strip_accents ? Json(*options.strip_accents) : Json()},
               {"tokenize_chinese_chars", options.tokenize_chinese_chars},
               {"model_max_length", config.longest()}};
  const auto& vocabulary = tokenizer.vocabulary();
  for (const auto& [role, token] : special_tokens)
    json[role] = std::ranges::find(vocabulary, token) == vocabulary.end() ? Json() : Json(token);
  for (const auto& [id, token] : added_tokens(tokenizer, false))
    json["added_tokens_decoder"][std::to_string(id)] = to_json(token);
  if (!options.segments || config.type_vocab_size == 0) json["model_input_names"] = {"input_ids", "attention_mask"};
  return json;
}

// [CLS] A [SEP], and [CLS] A [SEP] B [SEP] with B as segment 1.
Json post_processor(const Tokenizer& tokenizer) {
  const auto special = [](const char* id, int type) { return Json{{"SpecialToken", {{"id", id}, {"type_id", type}}}}; };
  const auto text = [](const char* id, int type) { return Json{{"Sequence", {{"id", id}, {"type_id", type}}}}; };
  const auto ids = [](const char* token, int32_t id) {
    return Json{{"id", token}, {"ids", Json::array({id})}, {"tokens", Json::array({token})}};
  };
  return {{"type", "TemplateProcessing"},
          {"single", {special("[CLS]", 0), text("A", 0), special("[SEP]", 0)}},
          {"pair", {special("[CLS]", 0), text("A", 0), special("[SEP]", 0), text("B", 1), special("[SEP]", 1)}},
          {"special_tokens", {{"[CLS]", ids("[CLS]", tokenizer.cls())}, {"[SEP]", ids("[SEP]", tokenizer.sep())}}}};
}

// The whole tokenizer, as the library tokenizers writes it.
Json tokenizer_json(const Tokenizer& tokenizer) {
  const TokenizerOptions& options = tokenizer.options();
  Json vocabulary = Json::object(), added = Json::array();
  for (const std::string& token : pieces(tokenizer)) vocabulary[token] = vocabulary.size();
  for (const auto& [id, token] : added_tokens(tokenizer, true)) {
    added.push_back(to_json(token));
    added.back()["id"] = id;
  }
  return {{"version", "1.0"},
          {"truncation", nullptr},
          {"padding", nullptr},
          {"added_tokens", added},
          {"normalizer",
           {{"type", "BertNormalizer"},
            {"clean_text", true},
            {"handle_chinese_chars", options.tokenize_chinese_chars},
            {"strip_accents", options.strip_accents ? Json(*options.strip_accents) : Json()},
            {"lowercase", options.lowercase}}},
          {"pre_tokenizer", {{"type", "BertPreTokenizer"}}},
          {"post_processor", post_processor(tokenizer)},
          {"decoder", {{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}}},
          {"model",
           {{"type", "WordPiece"},
            {"unk_token", "[UNK]"},
            {"continuing_subword_prefix", "##"},
            {"max_input_chars_per_word", 100},
            {"vocab", vocabulary}}}};
}

}  // namespace

BertConfig simplest(BertConfig config) {
  const auto all = [](const std::vector<int64_t>& values, int64_t value) {
    return std::ranges::all_of(values, [&](int64_t v) { return v == value; });
  };
  if (all(config.layer_heads, config.num_attention_heads)) config.layer_heads.clear();
  if (all(config.layer_intermediate, config.intermediate_of(0))) {
    config.intermediate_size = config.intermediate_of(0);
    config.layer_intermediate.clear();
  }
  return config;
}

std::map<std::string, std::string> model_files(const Model& model, const Json& more) {
  Json config = config_to_json(simplest(model.config));
  if (model.config.first_position == 0) config["pad_token_id"] = model.tokenizer.pad();  // else it decides positions
  config.update(more);
  return {{"config.json", config.dump(2) + '\n'},
          {"vocab.txt", vocabulary_text(model)},
          {"tokenizer.json", tokenizer_json(model.tokenizer).dump(0) + '\n'},
          {"tokenizer_config.json", tokenizer_config(model.tokenizer, model.config).dump(2) + '\n'}};
}

bool is_exported_file(const std::string& name) {
  constexpr std::array<std::string_view, 9> names = {
      "config.json",       "vocab.txt", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
      "quantization.json", "onnx",      "model.onnx",     "model.onnx_data"};
  return std::ranges::find(names, name) != names.end();
}

}  // namespace espalier
