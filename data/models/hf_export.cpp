// SPDX-License-Identifier: Apache-2.0
#include "data/models/hf_export.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string_view>
#include <system_error>

#include "core/check.h"
#include "core/checksum.h"
#include "core/input_file.h"
#include "data/files/atomic_file.h"
#include "data/files/atomic_folder.h"
#include "data/models/safetensors.h"
#include "data/text/unicode_classes.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::array<const char*, 4> file_names = {"config.json", "model.safetensors", "tokenizer_config.json",
                                                   "vocab.txt"};

constexpr int64_t largest_vocabulary = int64_t{64} << 20;  // bytes

struct SpecialToken {
  const char* role;
  std::string_view text;
};
constexpr std::array<SpecialToken, 5> special_tokens = {{{"pad_token", "[PAD]"},
                                                         {"unk_token", "[UNK]"},
                                                         {"cls_token", "[CLS]"},
                                                         {"sep_token", "[SEP]"},
                                                         {"mask_token", "[MASK]"}}};

const char* const vocabulary_key = "checksum of vocab.txt";  // in the metadata of model.safetensors

// vocab.txt, up to the last token that is more than an added one; those behind it are in tokenizer_config.json.
std::string vocabulary_text(const WordPiece& tokenizer, const std::string& source) {
  std::set<std::string_view> added;
  for (const AddedToken& token : tokenizer.options().added_tokens)
    if (!token.piece) added.insert(token.content);
  std::span<const std::string> tokens = tokenizer.vocabulary();
  while (!tokens.empty() && added.contains(tokens.back())) tokens = tokens.first(tokens.size() - 1);
  std::string text;
  for (const std::string& token : tokens) {
    CHECK(token.find_first_of("\r\n") == std::string::npos && is_utf8(token), source, ": the token ",
          Json(token).dump(-1, ' ', true, Json::error_handler_t::replace),
          " has a line break or is not UTF-8; vocab.txt cannot hold it");
    text += token + '\n';
  }
  return text;
}

Json tokenizer_to_json(const WordPiece& tokenizer, int64_t max_length) {
  const TokenizerOptions& options = tokenizer.options();
  const auto& vocabulary = tokenizer.vocabulary();
  const auto place = [&](std::string_view token) { return std::ranges::find(vocabulary, token); };
  Json json = {{"tokenizer_class", "BertTokenizer"},
               {"do_lower_case", options.lowercase},
               {"strip_accents", options.strip_accents ? Json(*options.strip_accents) : Json()},
               {"tokenize_chinese_chars", options.tokenize_chinese_chars},
               {"model_max_length", max_length}};
  for (const auto& [role, token] : special_tokens) json[role] = place(token) == vocabulary.end() ? Json() : Json(token);
  for (const AddedToken& token : options.added_tokens)
    json["added_tokens_decoder"][std::to_string(place(token.content) - vocabulary.begin())] = {
        {"content", token.content},         {"lstrip", token.lstrip},         {"rstrip", token.rstrip},
        {"single_word", token.single_word}, {"normalized", token.normalized}, {"special", token.special}};
  if (!options.segments) json["model_input_names"] = {"input_ids", "attention_mask"};
  return json;
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

std::string obstacle_in_transformers(const BertConfig& config) {
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) {
    const std::string layer = "layer " + std::to_string(i) + " has ";
    if (config.heads_of(i) != config.num_attention_heads)
      return layer + std::to_string(config.heads_of(i)) + " of " + std::to_string(config.num_attention_heads) +
             " heads";
    if (config.intermediate_of(i) != config.intermediate_of(0))
      return layer + std::to_string(config.intermediate_of(i)) + " feed-forward neurons, layer 0 " +
             std::to_string(config.intermediate_of(0));
  }
  return "";
}

int64_t export_hf(const Model& model, const fs::path& directory) {
  require_f32(model, "export");
  const std::string vocabulary = vocabulary_text(model.tokenizer, model.source);
  Json config = config_to_json(simplest(model.config));
  config["pad_token_id"] = model.tokenizer.pad();
  model.store.settle();
  std::map<std::string, Tensor> tensors;
  for (const Parameter* p : model.store.all()) tensors[p->name] = p->value;

  AtomicFolder folder(directory,
                      [](const std::string& name) { return std::ranges::find(file_names, name) != file_names.end(); });
  const fs::path& to = folder.temporary();
  write_file(to / "config.json", config.dump(2) + '\n');
  write_file(to / "vocab.txt", vocabulary);
  write_file(to / "tokenizer_config.json",
             tokenizer_to_json(model.tokenizer, model.config.max_position_embeddings).dump(2) + '\n');
  write_safetensors(to / "model.safetensors", tensors, {{"format", "pt"}, {vocabulary_key, hex(checksum(vocabulary))}});
  int64_t bytes = 0;
  for (const char* name : file_names) bytes += static_cast<int64_t>(fs::file_size(to / name));
  folder.commit();
  return bytes;
}

void check_exported_vocabulary(const fs::path& directory) {
  std::error_code ignored;
  const fs::path weights = directory / "model.safetensors", file = directory / "vocab.txt";
  if (!fs::exists(weights, ignored) || !fs::exists(file, ignored)) return;
  const Safetensors header(weights);
  const auto expected = header.metadata().find(vocabulary_key);
  CHECK(expected == header.metadata().end() || expected->second == hex(checksum(read_file(file, largest_vocabulary))),
        file.string(),
        ": differs from the file that export wrote together with model.safetensors: it is damaged or was changed; put "
        "that file back, or, if the change is meant, open the model with --vocab ",
        directory.string());
}

}  // namespace espalier
