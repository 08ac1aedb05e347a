// SPDX-License-Identifier: Apache-2.0
// Finding and parsing the files, the tokenizer's class, the vocabulary.
#include "data/text/tokenizer_files.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/input_file.h"
#include "data/text/tokenizer.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr int64_t kLargestFile = int64_t{32} << 20;  // bytes; the largest BERT tokenizers take 10 MB
constexpr int kDeepestNesting = 32;  // a hostile JSON file may nest until it takes seventy times its size in memory

// What transformers 5 has as BertTokenizer or as a class that does the same, without the ending Fast.
constexpr std::array<std::string_view, 8> kBertClasses = {
    "BertTokenizer",   "ConvBertTokenizer",   "DistilBertTokenizer",  "ElectraTokenizer",
    "LxmertTokenizer", "MobileBertTokenizer", "SqueezeBertTokenizer", "RetriBertTokenizer"};
// Those that are whatever tokenizer.json holds.
constexpr std::array<std::string_view, 4> kGenericClasses = {"PreTrainedTokenizerFast", "PreTrainedTokenizer",
                                                             "TokenizersBackend", "PythonBackend"};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// How many brackets are open at once, outside strings.
int nesting(std::string_view json) {
  int depth = 0, deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') in_string = !in_string;
    if (in_string && c == '\\') ++i;
    if (!in_string) depth += (c == '[' || c == '{') - (c == ']' || c == '}');
    deepest = std::max(deepest, depth);
  }
  return deepest;
}

// The file's JSON object, an empty one where there is no file.
Json read_file_object(const fs::path& path) {
  if (!is_there(path)) return Json::object();
  const std::string text = read_file(path, kLargestFile);
  CHECK(nesting(text) <= kDeepestNesting, path.string(), ": nests deeper than ", kDeepestNesting,
        " levels; expected a tokenizer file");
  try {
    Json json = Json::parse(text);
    CHECK(json.is_object(), path.string(), ": holds a JSON ", json.type_name(), "; expected an object");
    return json;
  } catch (const Json::parse_error& error) {
    fail(path.string(), ": is not JSON at byte ", error.byte, "; write the file again");
  } catch (const Json::out_of_range&) { fail(path.string(), ": holds a number that is too large"); }
}

// The class that AutoTokenizer takes where no file names one.
std::string class_of_model(const TokenizerFiles& files, const Json& config) {
  const Json type = config.value("model_type", Json());
  if (type == "roberta" || type == "roberta-prelayernorm" || type == "longformer") return "RobertaTokenizer";
  const bool bpe = type.is_null() && (is_there(files.vocab_json()) || is_bpe(files));
  return bpe ? "RobertaTokenizer" : "BertTokenizer";
}

// The class that AutoTokenizer takes: tokenizer_config.json names it, or else config.json.
void read_class(TokenizerFiles& files) {
  fs::path path = files.config_json();
  Json name = files.config.value("tokenizer_class", Json());
  if (name.is_null()) {
    path = files.directory / "config.json";
    const Json config = read_file_object(path);
    name = config.value("tokenizer_class", Json());
    if (name.is_null()) name = class_of_model(files, config);
  }
  CHECK(name.is_string(), path.string(), ": tokenizer_class is ", shown(name), "; expected a name");
  auto text = name.get<std::string>();
  const bool generic = std::ranges::find(kGenericClasses, text) != kGenericClasses.end();
  if (text.ends_with("Fast")) text.resize(text.size() - 4);
  const bool bpe = generic ? is_bpe(files) : text == "RobertaTokenizer";
  CHECK(generic || bpe || std::ranges::find(kBertClasses, text) != kBertClasses.end(), path.string(),
        ": tokenizer_class is ", shown(name),
        "; expected BertTokenizer, RobertaTokenizer, or PreTrainedTokenizerFast with the pipeline of one of them in "
        "tokenizer.json");
  CHECK(!generic || !files.tokenizer.empty(), path.string(), ": tokenizer_class is ", shown(name),
        ", but there is no tokenizer.json; expected BertTokenizer or RobertaTokenizer");
  files.kind = bpe ? TokenizerKind::byte_level_bpe : TokenizerKind::wordpiece;
  files.rebuilt = !generic;
  files.segments = !generic && !bpe && text != "DistilBertTokenizer";
}

// Tokens by their ids, from an object of ids by tokens.
std::vector<std::string> tokens_by_id(const Json& ids, const fs::path& path) {
  std::vector<std::string> tokens(ids.size());
  for (const auto& [token, id] : ids.items()) {
    CHECK(id.is_number_unsigned() && id.get<std::size_t>() < tokens.size() && tokens[id.get<std::size_t>()].empty(),
          path.string(), ": token ", shown(token), " has the id ", shown(id), "; the ids of ", tokens.size(),
          " tokens must count from 0 without a gap or a repetition");
    tokens[id.get<std::size_t>()] = token;
  }
  return tokens;
}

// The vocabulary inside tokenizer.json, empty where there is none.
std::vector<std::string> model_vocabulary(const TokenizerFiles& files) {
  const fs::path path = files.tokenizer_json();
  const Json model = member(files.tokenizer, "model", path);
  const bool bpe = files.kind == TokenizerKind::byte_level_bpe;
  const Json type = model.value("type", Json(bpe ? "BPE" : "WordPiece"));
  CHECK(type == (bpe ? "BPE" : "WordPiece"), path.string(), ": its model is a ", shown(type), "; expected ",
        bpe ? "RoBERTa's BPE" : "BERT's WordPiece");
  return tokens_by_id(member(model, "vocab", path), path);
}

}  // namespace

bool is_bpe(const TokenizerFiles& files) {
  const Json model = member(files.tokenizer, "model", files.tokenizer_json());
  return model.value("type", Json(model.contains("merges") ? "BPE" : "")) == "BPE";
}

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

std::string shown(const Json& value) {
  constexpr std::size_t longest = 60;
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

TokenizerFiles read_tokenizer_files(const fs::path& directory) {
  TokenizerFiles files{.directory = directory,
                       .tokenizer = read_file_object(directory / "tokenizer.json"),
                       .config = read_file_object(directory / "tokenizer_config.json"),
                       .special_tokens = read_file_object(directory / "special_tokens_map.json"),
                       .added_tokens = read_file_object(directory / "added_tokens.json")};
  read_class(files);
  return files;
}

std::vector<std::string> read_vocabulary(TokenizerFiles& files) {
  const bool bpe = files.kind == TokenizerKind::byte_level_bpe;
  const fs::path path = bpe ? files.vocab_json() : files.directory / "vocab.txt";
  std::vector<std::string> in_json = model_vocabulary(files);
  const bool has_file = is_there(path);
  CHECK(has_file || !in_json.empty(), files.directory.string(), ": holds no vocabulary; expected ",
        bpe ? "vocab.json and merges.txt" : "vocab.txt", " or tokenizer.json");
  if (!has_file) return in_json;
  std::vector<std::string> in_file =
      bpe ? tokens_by_id(read_file_object(path), path) : Tokenizer::read_vocabulary(path);
  if (in_json.empty()) return in_file;
  const auto [one, other] = std::mismatch(in_file.begin(), in_file.end(), in_json.begin(), in_json.end());
  CHECK(one == in_file.end() || other == in_json.end(), files.directory.string(), ": token ", one - in_file.begin(),
        " is ", shown(*one), " in ", path.filename().string(), " and ", shown(*other),
        " in tokenizer.json; remove the file that does not belong to the model");
  if (in_file.size() != in_json.size())
    files.notes.push_back(path.string() + " with its " + std::to_string(in_file.size()) +
                          " tokens is not used; those of tokenizer.json are, as AutoTokenizer does");
  return in_json;
}

}  // namespace espalier
