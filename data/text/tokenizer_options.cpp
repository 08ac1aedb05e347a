// SPDX-License-Identifier: Apache-2.0
// The settings of tokenizer.json and tokenizer_config.json: applied, refused, or noted.
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
constexpr std::array<std::string_view, 44> kKnown = {"bos_token",
                                                     "eos_token",
                                                     "unk_token",
                                                     "sep_token",
                                                     "pad_token",
                                                     "cls_token",
                                                     "mask_token",
                                                     "do_lower_case",
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

// A part of tokenizer.json's pipeline; a Sequence of one is that one. Absent: what BERT has.
Json part(const TokenizerFiles& files, const char* name, const char* inner, const char* expected) {
  const auto found = files.tokenizer.find(name);
  if (found == files.tokenizer.end()) return {{"type", expected}};
  Json one = *found;
  if (one.is_object() && one.value("type", Json()) == "Sequence")
    if (const Json list = one.value(inner, Json()); list.is_array() && list.size() == 1) one = list[0];
  CHECK(one.is_object() && one.value("type", Json()) == expected, files.tokenizer_json().string(), ": its ", name,
        " is ", one.is_object() ? "a " + shown(one.value("type", Json())) : shown(one), "; expected BERT's ", expected);
  return one;
}

void require(const Json& object, const char* name, const Json& value, const fs::path& path) {
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

// [CLS] A [SEP], and [CLS] A [SEP] B:1 [SEP]:1 for a pair.
void check_post_processor(const TokenizerFiles& files) {
  const auto found = files.tokenizer.find("post_processor");
  if (found == files.tokenizer.end()) return;
  const auto special = [](const char* id, int type) { return Json{{"SpecialToken", {{"id", id}, {"type_id", type}}}}; };
  const auto text = [](const char* id, int type) { return Json{{"Sequence", {{"id", id}, {"type_id", type}}}}; };
  const Json single = {special("[CLS]", 0), text("A", 0), special("[SEP]", 0)};
  const Json pair = {special("[CLS]", 0), text("A", 0), special("[SEP]", 0), text("B", 1), special("[SEP]", 1)};
  const Json type = found->is_object() ? found->value("type", Json()) : Json();
  const Json vocabulary =
      member(member(files.tokenizer, "model", files.tokenizer_json()), "vocab", files.tokenizer_json());
  const auto has = [&](const char* path, const Json& value) {
    const Json::json_pointer at(path);
    return found->contains(at) && found->at(at) == value;
  };
  const Json cls = vocabulary.value("[CLS]", Json()), sep = vocabulary.value("[SEP]", Json());
  const bool as_expected = type == "TemplateProcessing"
                               ? has("/single", single) && has("/pair", pair) &&
                                     has("/special_tokens/[CLS]/ids", Json::array({cls})) &&
                                     has("/special_tokens/[SEP]/ids", Json::array({sep}))
                               : type == "BertProcessing" && has("/cls", {"[CLS]", cls}) && has("/sep", {"[SEP]", sep});
  CHECK(as_expected, files.tokenizer_json().string(), ": its post_processor is ", shown(type.is_null() ? *found : type),
        "; expected BERT's, [CLS] A [SEP] and [CLS] A [SEP] B [SEP] with B as segment 1 and the vocabulary's ids");
}

void check_tokenizer(TokenizerFiles& files) {
  const fs::path path = files.tokenizer_json();
  note_unknown(files, files.tokenizer, path, "",
               {"version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
                "decoder", "model"});
  const Json model = member(files.tokenizer, "model", path);
  note_unknown(files, model, path, "model's ",
               {"type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word"});
  require(model, "unk_token", "[UNK]", path);
  require(model, "continuing_subword_prefix", "##", path);
  require(model, "max_input_chars_per_word", 100, path);
  require(member(files.tokenizer, "truncation", path), "direction", "Right", path);
  part(files, "pre_tokenizer", "pretokenizers", "BertPreTokenizer");
  check_post_processor(files);
}

void check_config(TokenizerFiles& files) {
  const fs::path path = files.config_json();
  const auto note = [&](const std::string& text) { files.notes.push_back(path.string() + ": " + text); };
  for (const auto& [name, value] : files.config.items())
    if (std::ranges::find(kKnown, name) == kKnown.end() && !(name.ends_with("_token") && value.is_string()))
      note(name + " is unknown and not used");
  require(files.config, "truncation_side", "right", path);
  require(files.config, "split_special_tokens", false, path);
  CHECK(!files.config.contains("auto_map"), path.string(), ": auto_map names a tokenizer in Python code; expected ",
        "BertTokenizer as tokenizer_class, and no auto_map");
  const auto has = [&](const char* name, const Json& usual) { return files.config.value(name, usual) != usual; };
  if (has("do_basic_tokenize", true)) note("do_basic_tokenize is not used, as in AutoTokenizer");
  if (!files.config.value("never_split", Json()).empty()) note("never_split is not used, as in AutoTokenizer");
  if (has("padding_side", "right")) note("padding_side is not used, since nothing is padded");
  if (const Json length = files.config.value("model_max_length", Json()); length.is_number() && length < 128)
    note("model_max_length is not used; --max-length " + length.dump() + " cuts texts there");
}

}  // namespace

TokenizerOptions read_options(TokenizerFiles& files) {
  check_tokenizer(files);
  check_config(files);
  const fs::path path = files.tokenizer_json();
  const Json normalizer = part(files, "normalizer", "normalizers", "BertNormalizer");
  note_unknown(files, normalizer, path, "normalizer's ",
               {"type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
  require(normalizer, "clean_text", true, path);
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
  return {.lowercase = read("do_lower_case", "lowercase", true).value_or(true),
          .strip_accents = read("strip_accents", "strip_accents", std::nullopt),
          .tokenize_chinese_chars = read("tokenize_chinese_chars", "handle_chinese_chars", true).value_or(true),
          .segments = read_segments(files)};
}

}  // namespace espalier
