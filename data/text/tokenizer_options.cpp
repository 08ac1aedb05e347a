// SPDX-License-Identifier: Apache-2.0
// The settings of tokenizer.json and tokenizer_config.json: applied, refused, or noted; those of byte-level BPE are in
// byte_level_files.cpp.
#include <algorithm>
#include <array>
#include <string_view>

#include "core/check.h"
#include "data/text/tokenizer_files.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// Fields of tokenizer_config.json that are read here, and those that change no id.
constexpr std::array<std::string_view, 49> kKnown = {"bos_token",
                                                     "eos_token",
                                                     "unk_token",
                                                     "sep_token",
                                                     "pad_token",
                                                     "cls_token",
                                                     "mask_token",
                                                     "do_lower_case",
                                                     "add_prefix_space",
                                                     "trim_offsets",
                                                     "errors",
                                                     "add_bos_token",
                                                     "add_eos_token",
                                                     "strip_accents",
                                                     "tokenize_chinese_chars",
                                                     "tokenizer_class",
                                                     "added_tokens_decoder",
                                                     "additional_special_tokens",
                                                     "extra_special_tokens",
                                                     "model_specific_special_tokens",
                                                     "model_input_names",
                                                     "truncation_side",
                                                     "split_special_tokens",
                                                     "auto_map",
                                                     "do_basic_tokenize",
                                                     "never_split",
                                                     "model_max_length",
                                                     "padding_side",
                                                     "max_len",
                                                     "max_length",
                                                     "stride",
                                                     "truncation_strategy",
                                                     "pad_to_multiple_of",
                                                     "pad_token_type_id",
                                                     "name_or_path",
                                                     "vocab_file",
                                                     "tokenizer_file",
                                                     "special_tokens_map_file",
                                                     "added_tokens_file",
                                                     "cache_dir",
                                                     "clean_up_tokenization_spaces",
                                                     "backend",
                                                     "is_local",
                                                     "local_files_only",
                                                     "chat_template",
                                                     "processor_class",
                                                     "use_fast",
                                                     "init_inputs",
                                                     "_commit_hash"};

// Whether models get the second text of a pair as segment 1: AutoTokenizer gives segments to those that it lists.
bool read_segments(TokenizerFiles& files) {
  const Json names = files.config.value("model_input_names", Json());
  const bool segments =
      names.is_array() ? std::ranges::find(names, Json("token_type_ids")) != names.end() : files.segments;
  if (!segments)
    files.notes.push_back(files.config_json().string() + ": both texts of a pair are segment 0, since " +
                          (names.is_array() ? "model_input_names" : "this tokenizer_class") + " has no token_type_ids");
  return segments;
}

// Checks what is not read from tokenizer.json, and reads the rest of its model.
void read_model(TokenizerFiles& files, TokenizerOptions& options) {
  const fs::path path = files.tokenizer_json();
  const Json model = member(files.tokenizer, "model", path);
  note_unknown(files, model, path, "model's ",
               {"type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word"});
  const Json unk = setting(files, model, "unk_token", options.special.unk);
  CHECK(unk == options.special.unk, path.string(), ": the model's unk_token is ", shown(unk), ", and that of ",
        "tokenizer_config.json is ", shown(options.special.unk), "; expected the same name in both");
  require_value(model, "continuing_subword_prefix", "##", path);
  const Json longest = setting(files, model, "max_input_chars_per_word", static_cast<uint64_t>(options.longest_word));
  CHECK(longest.is_number_unsigned() && longest.get<uint64_t>() <= 1U << 30, path.string(),
        ": max_input_chars_per_word is ", shown(longest), "; expected a whole number of characters");
  options.longest_word = longest.get<int64_t>();
  pipeline_part(files, "pre_tokenizer", "pretokenizers", "BertPreTokenizer");
}

void check_config(TokenizerFiles& files) {
  const fs::path path = files.config_json();
  const auto note = [&](const std::string& text) { files.notes.push_back(path.string() + ": " + text); };
  for (const auto& [name, value] : files.config.items())
    if (std::ranges::find(kKnown, name) == kKnown.end() && !(name.ends_with("_token") && value.is_string()))
      note(name + " is unknown and not used");
  require_value(files.config, "truncation_side", "right", path);
  require_value(files.config, "split_special_tokens", false, path);
  CHECK(!files.config.contains("auto_map"), path.string(), ": auto_map names a tokenizer in Python code; expected ",
        "BertTokenizer as tokenizer_class, and no auto_map");
  const auto has = [&](const char* name, const Json& usual) { return files.config.value(name, usual) != usual; };
  if (has("do_basic_tokenize", true)) note("do_basic_tokenize is not used, as in AutoTokenizer");
  if (!files.config.value("never_split", Json()).empty()) note("never_split is not used, as in AutoTokenizer");
  if (has("padding_side", "right")) note("padding_side is not used, since nothing is padded");
  if (const Json length = files.config.value("model_max_length", Json()); length.is_number() && length < 128)
    note("model_max_length is not used; --max-length " + length.dump() + " cuts texts there");
}

// BERT's normalizer: what AutoTokenizer takes from tokenizer_config.json, or else from tokenizer.json.
void read_normalizer(TokenizerFiles& files, TokenizerOptions& options) {
  const fs::path path = files.tokenizer_json();
  const Json normalizer = pipeline_part(files, "normalizer", "normalizers", "BertNormalizer");
  note_unknown(files, normalizer, path, "normalizer's ",
               {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  require_value(normalizer, "clean_text", true, path);
  const auto read = [&](const char* in_config, const char* in_normalizer, std::optional<bool> usual) {
    const auto config = flag(files.config, in_config, files.config_json());
    const auto json = flag(normalizer, in_normalizer, path);
    const bool stated = normalizer.contains(in_normalizer);
    const auto text = [](std::optional<bool> value) { return value ? *value ? "true" : "false" : "null"; };
    const auto rebuilt = config ? config : usual, whole = stated ? json : usual;
    if (files.rebuilt && stated && json != rebuilt)
      files.notes.push_back(path.string() + ": " + in_normalizer + " " + text(json) + " is not used; " + in_config +
                            " is " + text(rebuilt) + (config ? " in tokenizer_config.json" : " by default") +
                            ", which AutoTokenizer follows");
    if (!files.rebuilt && config && *config != whole)
      files.notes.push_back(files.config_json().string() + ": " + in_config + " is not used; AutoTokenizer follows " +
                            "tokenizer.json for this tokenizer_class");
    return files.rebuilt ? rebuilt : whole;
  };
  options.lowercase = read("do_lower_case", "lowercase", true).value_or(true);
  options.strip_accents = read("strip_accents", "strip_accents", std::nullopt);
  options.tokenize_chinese_chars = read("tokenize_chinese_chars", "handle_chinese_chars", true).value_or(true);
}

}  // namespace

Json pipeline_part(const TokenizerFiles& files, const char* name, const char* inner, const char* expected) {
  const auto found = files.tokenizer.find(name);
  if (found == files.tokenizer.end()) return {{"type", expected}};
  Json one = *found;
  if (one.is_object() && one.value("type", Json()) == "Sequence")
    if (const Json list = one.value(inner, Json()); list.is_array() && list.size() == 1) one = list[0];
  CHECK(one.is_object() && one.value("type", Json()) == expected, files.tokenizer_json().string(), ": its ", name,
        " is ", one.is_object() ? "a " + shown(one.value("type", Json())) : shown(one), "; expected ",
        files.kind == TokenizerKind::wordpiece ? "BERT's " : "RoBERTa's ", expected);
  return one;
}

void require_value(const Json& object, const char* name, const Json& value, const fs::path& path) {
  const Json found = object.value(name, value);
  CHECK(found == value, path.string(), ": ", name, " is ", shown(found), "; expected ", value.dump(),
        ", since nothing else is done here");
}

void note_unknown(TokenizerFiles& files, const Json& object, const fs::path& path, const std::string& where,
                  std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : object.items())
    if (std::ranges::find(known, name) == known.end())
      files.notes.push_back(path.string() + ": " + where + name + " is unknown and not used");
}

Json setting(TokenizerFiles& files, const Json& object, const char* name, const Json& usual) {
  Json found = object.value(name, usual);
  if (!files.rebuilt || found == usual) return found;
  files.notes.push_back(files.tokenizer_json().string() + ": " + name + " " + shown(found) +
                        " is not used; AutoTokenizer takes " + shown(usual) + " for this tokenizer_class");
  return usual;
}

TokenizerOptions read_options(TokenizerFiles& files) {
  const fs::path path = files.tokenizer_json();
  note_unknown(files, files.tokenizer, path, "",
               {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
                "decoder", "model"});
  require_value(member(files.tokenizer, "truncation", path), "direction", "Right", path);
  check_config(files);
  TokenizerOptions options = {.kind = files.kind, .special = read_special_tokens(files)};
  check_post_processor(files, options.special);
  if (files.kind == TokenizerKind::byte_level_bpe) {
    options.segments = false;
    options.add_prefix_space = read_prefix_space(files);
  } else {
    read_model(files, options);
    read_normalizer(files, options);
    options.segments = read_segments(files);
  }
  return options;
}

}  // namespace espalier
