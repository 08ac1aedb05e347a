// SPDX-License-Identifier: Apache-2.0
// Reading vocab.txt, tokenizer.json and tokenizer_config.json for WordPiece.
#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "data/text/wordpiece.h"

namespace espalier {

namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::size_t kLargestFile = std::size_t{32} << 20;  // bytes; the largest BERT tokenizers take 10 MB
constexpr int kDeepestNesting = 32;  // a hostile JSON file may nest until it takes seventy times its size in memory

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::string read_text(const fs::path& path) {
  std::error_code ignored;
  CHECK(!fs::is_directory(path, ignored), path.string(), ": is a directory; expected a file");
  std::ifstream file(path, std::ios::binary);
  CHECK(file, path.string(), ": cannot be opened for reading");
  std::string text;
  std::vector<char> chunk(1 << 16);
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
    text.append(chunk.data(), static_cast<std::size_t>(file.gcount()));
    CHECK(text.size() <= kLargestFile, path.string(), ": holds more than 32 MB; expected a tokenizer file");
  }
  CHECK(!file.bad(), path.string(), ": reading failed after ", text.size(), " bytes");
  return text;
}

// How many brackets are open at once, outside strings.
int nesting(std::string_view json) {
  int depth = 0, deepest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') quoted = !quoted;
    if (quoted && c == '\\') ++i;
    if (!quoted) depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    deepest = std::max(deepest, depth);
  }
  return deepest;
}

// The file's JSON object, an empty one where there is no file.
Json read_object(const fs::path& path) {
  if (!is_there(path)) return Json::object();
  const std::string text = read_text(path);
  CHECK(nesting(text) <= kDeepestNesting, path.string(), ": nests deeper than ", kDeepestNesting,
        " levels; expected a tokenizer file");
  try {
    Json json = Json::parse(text);
    CHECK(json.is_object(), path.string(), ": holds a JSON ", json.type_name(), "; expected an object");
    return json;
  } catch (const Json::parse_error& error) {
    fail(path.string(), ": is not JSON at byte ", error.byte, "; write the file again");
  }
}

// The member of that name, an empty object where it is absent or null.
Json member(const Json& object, const char* name, const fs::path& path) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return Json::object();
  CHECK(found->is_object(), path.string(), ": ", name, " is a JSON ", found->type_name(), "; expected an object");
  return *found;
}

std::optional<bool> flag(const Json& object, const char* name, const fs::path& path) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return {};
  CHECK(found->is_boolean(), path.string(), ": ", name, " is a JSON ", found->type_name(), "; expected true or false");
  return found->get<bool>();
}

void require_type(const Json& object, const char* name, const char* type, const fs::path& path) {
  const Json found = object.value("type", Json(type));
  CHECK(found == type, path.string(), ": its ", name, " is a ", found.dump(), "; expected BERT's ", type);
}

// The vocabulary inside tokenizer.json, empty where there is none.
std::vector<std::string> model_vocabulary(const Json& tokenizer, const fs::path& path) {
  const Json model = member(tokenizer, "model", path);
  require_type(model, "model", "WordPiece", path);
  const Json vocab = member(model, "vocab", path);
  std::vector<std::string> tokens(vocab.size());
  for (const auto& [token, id] : vocab.items()) {
    CHECK(id.is_number_unsigned() && id.get<std::size_t>() < tokens.size() && tokens[id.get<std::size_t>()].empty(),
          path.string(), ": token ", Json(token).dump(), " has the id ", id.dump(), "; the ids of ", tokens.size(),
          " tokens must count from 0 without a gap or a repetition");
    tokens[id.get<std::size_t>()] = token;
  }
  return tokens;
}

// The added tokens by id: tokenizer.json lists them; where there is none, tokenizer_config.json does.
std::map<std::size_t, Json> read_added_tokens(const Json& tokenizer, const Json& config, const fs::path& directory) {
  std::map<std::size_t, Json> added;
  const auto add = [&](const Json& id, const Json& entry) {
    const auto content = entry.is_object() ? entry.find("content") : entry.end();
    CHECK(id.is_number_unsigned() && content != entry.end() && content->is_string(), directory.string(),
          ": an added token is ", entry.dump(), "; expected an object with content and id");
    added[id.get<std::size_t>()] = entry;
  };
  for (const Json& entry : tokenizer.value("added_tokens", Json::array()))
    add(entry.is_object() ? entry.value("id", Json()) : Json(), entry);
  const Json decoder = member(config, "added_tokens_decoder", directory / "tokenizer_config.json");
  if (tokenizer.empty())
    for (const auto& [id, entry] : decoder.items()) add(Json::parse(id, nullptr, false), entry);
  return added;
}

// Appends the new ones to the vocabulary and returns them all.
std::vector<std::string> apply_added_tokens(const std::map<std::size_t, Json>& added, const fs::path& directory,
                                            std::vector<std::string>& vocabulary) {
  std::vector<std::string> tokens;
  for (const auto& [id, entry] : added) {
    const auto token = entry["content"].get<std::string>();
    for (const char* behaviour : {"lstrip", "rstrip", "single_word", "normalized"})
      CHECK(!flag(entry, behaviour, directory).value_or(false), directory.string(), ": the added token ",
            entry["content"].dump(), " asks for ", behaviour, ", which Espalier does not do; set it to false");
    if (id == vocabulary.size()) vocabulary.push_back(token);
    CHECK(id < vocabulary.size() && vocabulary[id] == token, directory.string(), ": the added token ",
          entry["content"].dump(), " has the id ", id,
          ", which is neither its own in the vocabulary nor the next free one, ", vocabulary.size());
    tokens.push_back(token);
  }
  return tokens;
}

// What tokenizer_config.json says comes first, as in Hugging Face's loader.
TokenizerOptions read_options(const Json& tokenizer, const Json& config, const fs::path& directory) {
  const Json normalizer = member(tokenizer, "normalizer", directory / "tokenizer.json");
  require_type(normalizer, "normalizer", "BertNormalizer", directory / "tokenizer.json");
  const auto read = [&](const char* in_config, const char* in_normalizer) {
    const auto found = flag(config, in_config, directory / "tokenizer_config.json");
    return found ? found : flag(normalizer, in_normalizer, directory / "tokenizer.json");
  };
  return {.lowercase = read("do_lower_case", "lowercase").value_or(true),
          .strip_accents = read("strip_accents", "strip_accents"),
          .tokenize_chinese_chars = read("tokenize_chinese_chars", "handle_chinese_chars").value_or(true)};
}

void check_agreement(const std::vector<std::string>& in_text, const std::vector<std::string>& in_json,
                     const fs::path& directory) {
  const auto [text, json] = std::mismatch(in_text.begin(), in_text.end(), in_json.begin(), in_json.end());
  CHECK(text == in_text.end() || json == in_json.end(), directory.string(), ": token ", text - in_text.begin(), " is ",
        *text, " in vocab.txt and ", *json, " in tokenizer.json; remove the file that does not belong to the model");
}

}  // namespace

std::vector<std::string> WordPiece::read_vocabulary(const fs::path& vocab_txt) {
  std::string text = read_text(vocab_txt);
  text.resize(text.find_last_not_of("\r\n") + 1);
  std::vector<std::string> tokens;
  std::istringstream lines(std::move(text));
  for (std::string token; std::getline(lines, token); tokens.push_back(token)) {
    if (token.ends_with('\r')) token.pop_back();
    CHECK(!token.empty() && is_utf8(token), vocab_txt.string(), ": line ", tokens.size() + 1, " is ",
          token.empty() ? "blank" : "not UTF-8", "; expected one token per line");
  }
  CHECK(!tokens.empty(), vocab_txt.string(), ": holds no token; expected one per line");
  return tokens;
}

WordPiece WordPiece::from_directory(const fs::path& directory) {
  const fs::path vocab_txt = directory / "vocab.txt", tokenizer_json = directory / "tokenizer.json";
  const Json tokenizer = read_object(tokenizer_json), config = read_object(directory / "tokenizer_config.json");
  std::vector<std::string> vocabulary = model_vocabulary(tokenizer, tokenizer_json);
  if (is_there(vocab_txt)) {
    std::vector<std::string> lines = read_vocabulary(vocab_txt);
    check_agreement(lines, vocabulary, directory);
    vocabulary = std::move(lines);
  }
  CHECK(!vocabulary.empty(), directory.string(), ": holds no vocabulary; expected vocab.txt or tokenizer.json");
  TokenizerOptions options = read_options(tokenizer, config, directory);
  options.added_tokens = apply_added_tokens(read_added_tokens(tokenizer, config, directory), directory, vocabulary);
  try {
    return {std::move(vocabulary), std::move(options)};
  } catch (const Error& error) { fail(directory.string(), ": ", error.what()); }
}

}  // namespace espalier
