// SPDX-License-Identifier: Apache-2.0
#include "data/models/tokenizer_record.h"

#include <nlohmann/json.hpp>

#include "core/quoted.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

const char* const byte_level_bpe = "byte_level_bpe";

// Files of earlier versions have the text alone, of a token without flags.
AddedToken to_added_token(const Json& json, const std::string& where) {
  if (json.is_string()) return {.content = json.get<std::string>()};
  const JsonFields fields(where + ": added_tokens", json);
  AddedToken token;
  fields.read("content", token.content);
  fields.read("special", token.special);
  fields.read("normalized", token.normalized);
  fields.read("lstrip", token.lstrip);
  fields.read("rstrip", token.rstrip);
  fields.read("single_word", token.single_word);
  fields.read("piece", token.piece);
  return token;
}

SpecialTokens to_special_tokens(const Json& json, const std::string& where) {
  const JsonFields fields(where + ": special_tokens", json);
  SpecialTokens special;
  fields.read("pad", special.pad);
  fields.read("unk", special.unk);
  fields.read("cls", special.cls);
  fields.read("sep", special.sep);
  fields.read("mask", special.mask);
  return special;
}

void read_kind(const JsonFields& fields, TokenizerOptions& options) {
  std::string kind;
  fields.read("kind", kind);
  CHECK(kind == "wordpiece" || kind == byte_level_bpe, fields.where, ": is of the kind ", quoted(kind),
        ", which this program does not know; use the Espalier that wrote the file or a newer one");
  if (kind == "wordpiece") return;
  options.kind = TokenizerKind::byte_level_bpe;
  fields.read("add_prefix_space", options.add_prefix_space);
}

}  // namespace

Json to_json(const TokenizerOptions& options) {
  const bool bpe = options.kind == TokenizerKind::byte_level_bpe;
  Json added = Json::array();
  for (const AddedToken& token : options.added_tokens)
    added.push_back({{"content", token.content},
                     {"special", token.special},
                     {"normalized", token.normalized},
                     {"lstrip", token.lstrip},
                     {"rstrip", token.rstrip},
                     {"single_word", token.single_word},
                     {"piece", token.piece}});
  const auto& [pad, unk, cls, sep, mask] = options.special;
  Json json = {{"kind", bpe ? byte_level_bpe : "wordpiece"},
               {"lowercase", options.lowercase},
               {"strip_accents", options.strip_accents ? Json(*options.strip_accents) : Json()},
               {"tokenize_chinese_chars", options.tokenize_chinese_chars},
               {"segments", options.segments},
               {"longest_word", options.longest_word},
               {"special_tokens", {{"pad", pad}, {"unk", unk}, {"cls", cls}, {"sep", sep}, {"mask", mask}}},
               {"added_tokens", added}};
  if (bpe) json["add_prefix_space"] = options.add_prefix_space;
  return json;
}

TokenizerOptions tokenizer_options_of(const JsonFields& fields) {
  TokenizerOptions options;
  if (fields.json.contains("kind")) read_kind(fields, options);
  fields.read("lowercase", options.lowercase);
  if (!fields.at("strip_accents").is_null()) fields.read("strip_accents", options.strip_accents.emplace());
  fields.read("tokenize_chinese_chars", options.tokenize_chinese_chars);
  if (fields.json.contains("segments")) fields.read("segments", options.segments);
  if (fields.json.contains("longest_word")) fields.count("longest_word", options.longest_word);
  if (fields.json.contains("special_tokens"))
    options.special = to_special_tokens(fields.at("special_tokens"), fields.where);
  for (const Json& token : fields.at("added_tokens"))
    options.added_tokens.push_back(to_added_token(token, fields.where));
  return options;
}

}  // namespace espalier
