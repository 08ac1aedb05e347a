// SPDX-License-Identifier: Apache-2.0
// The files of a byte-level BPE: merges, the pipeline of tokenizer.json; and what stands around texts.
#include <string_view>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "data/text/byte_level_bpe.h"
#include "data/text/lines.h"
#include "data/text/tokenizer_files.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

struct Merges {
  std::vector<std::string> merges;
  std::vector<int64_t> lines;  // of merges.txt, where they stand

  void check(const std::vector<std::string>& vocabulary, const fs::path& path) const {
    ByteLevelBpe::Ids ids;
    for (std::size_t i = 0; i < vocabulary.size(); ++i) ids.emplace(vocabulary[i], static_cast<int32_t>(i));
    ByteLevelBpe::check_merges(ids, merges, [&](std::size_t i) {
      return path.string() + (lines.empty() ? ": merge " + std::to_string(i) : ":" + std::to_string(lines[i]));
    });
  }
};

Merges merges_of_text(const fs::path& path) {
  Lines lines(path, Lines::Of::records, "a merge per line, two tokens with a space between", int64_t{32} << 20);
  Merges merges;
  for (std::string_view line; lines.next(line);) {
    if (line.starts_with("#version")) continue;
    merges.merges.emplace_back(line);
    merges.lines.push_back(lines.number());
  }
  return merges;
}

// A merge is "left right" or, of newer versions, ["left", "right"].
Merges merges_of_json(const Json& list, const fs::path& path) {
  CHECK(list.is_array(), path.string(), ": merges is a JSON ", list.type_name(), "; expected a list");
  Merges merges;
  for (const Json& one : list) {
    const bool pair = one.is_array() && one.size() == 2 && one[0].is_string() && one[1].is_string();
    CHECK(one.is_string() || pair, path.string(), ": merge ", merges.merges.size(), " is ", shown(one),
          "; expected two tokens");
    merges.merges.push_back(pair ? one[0].get<std::string>() + ' ' + one[1].get<std::string>()
                                 : one.get<std::string>());
  }
  return merges;
}

}  // namespace

std::vector<std::string> read_merges(const TokenizerFiles& files, const std::vector<std::string>& vocabulary) {
  const fs::path text = files.directory / "merges.txt", path = files.tokenizer_json();
  const Json model = member(files.tokenizer, "model", path);
  const bool in_json = model.contains("merges");
  std::error_code ignored;
  const bool in_text = fs::exists(text, ignored);
  CHECK(in_json || in_text, files.directory.string(),
        ": holds no merges; expected merges.txt beside vocab.json, or tokenizer.json");
  Merges merges = in_json ? merges_of_json(model["merges"], path) : merges_of_text(text);
  merges.check(vocabulary, in_json ? path : text);
  CHECK(!in_json || !in_text || merges_of_text(text).merges == merges.merges, text.string(),
        ": has other merges than tokenizer.json; remove the file that does not belong to the model");
  return std::move(merges.merges);
}

bool read_prefix_space(TokenizerFiles& files) {
  const fs::path path = files.tokenizer_json();
  const Json model = member(files.tokenizer, "model", path);
  note_unknown(files, model, path, "model's ",
               {"type", "vocab", "merges", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix",
                "fuse_unk", "byte_fallback", "ignore_merges"});
  for (const char* name : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!model.value(name, Json()).is_null()) require_value(model, name, "", path);
  if (!model.value("dropout", Json()).is_null()) require_value(model, "dropout", 0.0, path);
  require_value(model, "ignore_merges", false, path);
  require_value(files.tokenizer, "normalizer", nullptr, path);
  const Json words = pipeline_part(files, "pre_tokenizer", "pretokenizers", "ByteLevel");
  note_unknown(files, words, path, "pre_tokenizer's ", {"type", "add_prefix_space", "trim_offsets", "use_regex"});
  require_value(words, "use_regex", true, path);
  const bool config = flag(files.config, "add_prefix_space", files.config_json()).value_or(false);
  const bool json = flag(words, "add_prefix_space", path).value_or(files.rebuilt ? config : true);
  if (files.rebuilt && config != json)
    files.notes.push_back(path.string() + ": add_prefix_space " + (json ? "true" : "false") +
                          " is not used; AutoTokenizer follows tokenizer_config.json");
  return files.rebuilt ? config : json;
}

// BERT: [CLS] A [SEP], and [CLS] A [SEP] B:1 [SEP]:1 for a pair. RoBERTa: <s> A </s>, and <s> A </s> </s> B </s>.
void check_post_processor(const TokenizerFiles& files, const SpecialTokens& special) {
  const auto found = files.tokenizer.find("post_processor");
  if (found == files.tokenizer.end()) return;
  const bool bpe = files.kind == TokenizerKind::byte_level_bpe;
  const int other = bpe ? 0 : 1;  // the segment of B
  const auto token = [](const std::string& id, int type) {
    return Json{{"SpecialToken", {{"id", id}, {"type_id", type}}}};
  };
  const auto text = [](const char* id, int type) { return Json{{"Sequence", {{"id", id}, {"type_id", type}}}}; };
  const Json cls = token(special.cls, 0), sep = token(special.sep, 0), last = token(special.sep, other);
  const Json single = {cls, text("A", 0), sep};
  const Json pair =
      bpe ? Json{cls, text("A", 0), sep, sep, text("B", 0), last} : Json{cls, text("A", 0), sep, text("B", 1), last};
  const fs::path path = files.tokenizer_json();
  const Json ids = member(member(files.tokenizer, "model", path), "vocab", path);
  const Json cls_id = ids.value(special.cls, Json()), sep_id = ids.value(special.sep, Json());
  const Json type = found->is_object() ? found->value("type", Json()) : Json();
  const auto is = [&](std::initializer_list<const char*> names, const Json& value) {
    Json at = *found;
    for (const char* name : names) at = at.is_object() ? at.value(name, Json()) : Json();
    return at == value;
  };
  const bool as_expected = type == "TemplateProcessing"
                               ? is({"single"}, single) && is({"pair"}, pair) &&
                                     is({"special_tokens", special.cls.c_str(), "ids"}, Json::array({cls_id})) &&
                                     is({"special_tokens", special.sep.c_str(), "ids"}, Json::array({sep_id}))
                               : type == (bpe ? "RobertaProcessing" : "BertProcessing") &&
                                     is({"cls"}, {special.cls, cls_id}) && is({"sep"}, {special.sep, sep_id});
  const std::string &c = special.cls, &s = special.sep;
  const std::string expected =
      bpe ? "RoBERTa's, " + c + " A " + s + " and " + c + " A " + s + s + " B " + s + " with "
          : "BERT's, " + c + " A " + s + " and " + c + " A " + s + " B " + s + " with B as segment 1 and ";
  CHECK(as_expected, path.string(), ": its post_processor is ", shown(type.is_null() ? *found : type), "; expected ",
        expected, "the vocabulary's ids");
}

}  // namespace espalier
