// SPDX-License-Identifier: Apache-2.0
// The added tokens of tokenizer.json, tokenizer_config.json, special_tokens_map.json and added_tokens.json, in the
// order and with the ids of transformers 5.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "core/check.h"
#include "data/text/tokenizer_files.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::array<std::string_view, 7> kRoles = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                    "pad_token", "cls_token", "mask_token"};

// The tokens of the five roles that Tokenizer knows.
struct Usual {
  std::string role, content;
};
std::array<Usual, 5> usual_of(const SpecialTokens& special) {
  return {{{"unk_token", special.unk},
           {"sep_token", special.sep},
           {"pad_token", special.pad},
           {"cls_token", special.cls},
           {"mask_token", special.mask}}};
}

// Whether it is one of them, and what Tokenizer takes it for anyway.
bool is_usual(const AddedToken& token, const SpecialTokens& special) {
  const auto usual = usual_of(special);
  return std::ranges::find(usual, token.content, &Usual::content) != usual.end() &&
         token == AddedToken{.content = token.content, .special = true};
}

// An added token as JSON has it: its text, or an object with content and flags.
AddedToken to_token(const Json& json, bool special, const fs::path& path) {
  if (json.is_string()) return {.content = json.get<std::string>(), .special = special, .normalized = !special};
  const auto content = json.is_object() ? json.find("content") : json.end();
  CHECK(json.is_object() && content != json.end() && content->is_string() &&
            !content->get_ref<const std::string&>().empty(),
        path.string(), ": an added token is ", shown(json), "; expected an object with content");
  special = flag(json, "special", path).value_or(special);
  return {.content = content->get<std::string>(),
          .special = special,
          .normalized = flag(json, "normalized", path).value_or(!special),
          .lstrip = flag(json, "lstrip", path).value_or(false),
          .rstrip = flag(json, "rstrip", path).value_or(false),
          .single_word = flag(json, "single_word", path).value_or(false)};
}

// `token` is for the message.
std::size_t to_id(const Json& json, const Json& token, const fs::path& path) {
  CHECK(json.is_number_unsigned(), path.string(), ": an added token is ", shown(token), " with the id ", shown(json),
        "; expected a whole number as id");
  return json.get<std::size_t>();
}

using ById = std::map<std::size_t, AddedToken>;

void read_tokenizer(const TokenizerFiles& files, ById& tokens) {
  for (const Json& entry : files.tokenizer.value("added_tokens", Json::array())) {
    const Json id = entry.is_object() ? entry.value("id", Json()) : Json();
    tokens[to_id(id, entry, files.tokenizer_json())] = to_token(entry, false, files.tokenizer_json());
  }
}

// Tokens that are named without an id: by a role, or as further special ones.
struct Named {
  std::vector<AddedToken> tokens;
  std::set<std::string> special;  // those that make a token of added_tokens.json special
  std::map<std::string, std::string> roles;

  void add_role(const std::string& role, const Json& value, const fs::path& path) {
    if (value.is_null()) return;
    AddedToken token = to_token(value, true, path);
    token.special = true;
    special.insert(token.content);
    roles.emplace(role, token.content);
    tokens.push_back(std::move(token));
  }
  void add_more(const Json& value, bool makes_special, const fs::path& path) {
    if (value.is_null()) return;
    CHECK(value.is_structured(), path.string(), ": the special tokens are ", shown(value), "; expected a list");
    for (const Json& one : value) {
      tokens.push_back(to_token(one, true, path));
      if (makes_special) special.insert(tokens.back().content);
    }
  }
};

// What RobertaTokenizer has where no file says it; BertTokenizer has neither.
Json usual_role(std::string_view role) {
  if (role == "bos_token") return SpecialTokens::roberta().cls;
  return role == "eos_token" ? Json(SpecialTokens::roberta().sep) : Json();
}

Named read_named(const TokenizerFiles& files, bool from_map) {
  const fs::path map = files.directory / "special_tokens_map.json", config = files.config_json();
  Named named;
  for (const std::string_view role : kRoles) {
    const std::string name(role);
    const bool in_map = from_map && files.special_tokens.contains(name);
    const Json usual = files.rebuilt && files.kind == TokenizerKind::byte_level_bpe ? usual_role(role) : Json();
    named.add_role(name, (in_map ? files.special_tokens : files.config).value(name, usual), in_map ? map : config);
  }
  for (const auto& [name, value] : files.config.items())
    if (name.ends_with("_token") && value.is_string() && std::ranges::find(kRoles, name) == kRoles.end())
      named.add_role(name, value, config);
  for (const char* more : {"extra_special_tokens", "additional_special_tokens", "model_specific_special_tokens"}) {
    named.add_more(files.config.value(more, Json()), true, config);
    const bool makes_special = std::string_view(more) == "extra_special_tokens";  // the other name is read too late
    if (from_map) named.add_more(files.special_tokens.value(more, Json()), makes_special, map);
  }
  return named;
}

// The tokens that have an id in a file. added_tokens_decoder, where it is there, replaces the older files.
ById read_by_id(const TokenizerFiles& files, const Named& named, bool has_decoder) {
  ById tokens;
  if (!files.rebuilt) read_tokenizer(files, tokens);
  if (has_decoder) {
    const Json decoder = member(files.config, "added_tokens_decoder", files.config_json());
    for (const auto& [id, entry] : decoder.items())
      tokens.emplace(to_id(Json::parse(id, nullptr, false), entry, files.config_json()),
                     to_token(entry, false, files.config_json()));
    return tokens;
  }
  const fs::path legacy = files.directory / "added_tokens.json";
  for (const auto& [content, id] : files.added_tokens.items())
    tokens.emplace(to_id(id, Json(content), legacy), to_token(content, named.special.contains(content), legacy));
  if (files.rebuilt) read_tokenizer(files, tokens);
  return tokens;
}

// Gives tokens their places in the vocabulary.
class Places {
 public:
  Places(const TokenizerFiles& files, std::vector<std::string>& vocabulary)
      : directory_(files.directory.string()), vocabulary_(vocabulary), pieces_(vocabulary.size()) {
    for (std::size_t id = 0; id < vocabulary.size(); ++id) ids_.emplace(vocabulary[id], id);
  }

  bool has_added(const std::string& content) const {
    const auto found = ids_.find(content);
    return found != ids_.end() && added_.contains(found->second);
  }
  bool knows(const std::string& content) const { return ids_.contains(content); }

  void add(AddedToken token, std::optional<std::size_t> id) {
    const auto [place, is_new] = ids_.emplace(token.content, vocabulary_.size());
    CHECK(!id || *id == place->second, directory_, ": the added token ", shown(token.content), " has the id ", *id,
          ", which is neither its own in the vocabulary nor the next free one, ", vocabulary_.size());
    if (is_new) vocabulary_.push_back(token.content);
    token.piece = place->second < pieces_;
    if (added_.emplace(place->second, tokens_.size()).second) tokens_.push_back(std::move(token));
  }

  // By ids, as they would be read again.
  std::vector<AddedToken> tokens() const {
    std::vector<AddedToken> sorted;
    for (const auto& [id, index] : added_) sorted.push_back(tokens_[index]);
    return sorted;
  }

 private:
  std::string directory_;
  std::vector<std::string>& vocabulary_;
  std::size_t pieces_;  // tokens of the vocabulary proper
  std::unordered_map<std::string, std::size_t> ids_;
  std::map<std::size_t, std::size_t> added_;  // places in tokens_ by id
  std::vector<AddedToken> tokens_;
};

}  // namespace

SpecialTokens read_special_tokens(const TokenizerFiles& files) {
  const Named named = read_named(files, !files.config.contains("added_tokens_decoder"));
  SpecialTokens special = files.kind == TokenizerKind::wordpiece ? SpecialTokens() : SpecialTokens::roberta();
  const auto take = [&](const char* role, std::string& name) {
    if (const auto found = named.roles.find(role); found != named.roles.end()) name = found->second;
  };
  take("pad_token", special.pad);
  take("unk_token", special.unk);
  take("cls_token", special.cls);
  take("sep_token", special.sep);
  take("mask_token", special.mask);
  return special;
}

std::vector<AddedToken> read_added_tokens(TokenizerFiles& files, const SpecialTokens& special,
                                          std::vector<std::string>& vocabulary) {
  const bool has_decoder = files.config.contains("added_tokens_decoder");
  const Named named = read_named(files, !has_decoder);
  const ById by_id = read_by_id(files, named, has_decoder);
  Places places(files, vocabulary);
  for (const auto& [id, token] : by_id) places.add(token, id);
  // The token for masks need not be there; transformers adds it, but no weights belong to it.
  for (const AddedToken& token : named.tokens)
    if (places.knows(token.content) || token.content != special.mask) places.add(token, std::nullopt);

  for (const auto& [role_name, content] : usual_of(special)) {  // Tokenizer takes them for special in any case
    const auto role = files.config.find(role_name);
    const bool known_special = files.rebuilt && (role == files.config.end() || !role->is_null());
    CHECK(known_special || !places.knows(content) || places.has_added(content), files.config_json().string(), ": ",
          role_name, " is not given, but ", content, " is in the vocabulary; expected ", role_name, " ", content);
  }
  ById unused;
  if (has_decoder && files.rebuilt) read_tokenizer(files, unused);
  for (const auto& [id, token] : unused)
    if (!places.has_added(token.content) && !is_usual(token, special))
      files.notes.push_back(files.tokenizer_json().string() + ": the added token " + shown(token.content) +
                            " is not used; AutoTokenizer takes those of tokenizer_config.json");
  if (has_decoder && !files.added_tokens.empty())
    files.notes.push_back((files.directory / "added_tokens.json").string() +
                          " is not used; AutoTokenizer takes the added tokens of tokenizer_config.json");
  std::vector<AddedToken> tokens = places.tokens();
  std::erase_if(tokens, [&](const AddedToken& token) { return is_usual(token, special); });
  return tokens;
}

}  // namespace espalier
