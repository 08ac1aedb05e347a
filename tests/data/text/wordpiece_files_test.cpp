// SPDX-License-Identifier: Apache-2.0
// What WordPiece reads from vocab.txt, tokenizer.json and tokenizer_config.json, and what it says about bad ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/check.h"
#include "data/text/tokenizer.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

// The text of the Error that the call throws; empty where it throws none.
template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) { return error.what(); }
  return "";
}

// A directory of files that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "wordpiece_test_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw Failure("mkdtemp " + name);
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  const Folder& write(const std::string& name, std::string_view text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return *this;
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

TEST(ReadVocabulary, AcceptsWindowsLinesAndBlankLinesAtTheEnd) {
  const Folder folder;
  folder.write("v.txt", "[PAD]\r\na b\r\n##\u00e9\r\n\r\n\n");
  EXPECT_EQ(Tokenizer::read_vocabulary(folder.path() / "v.txt"),
            (std::vector<std::string>{"[PAD]", "a b", "##\u00e9"}));
}

TEST(ReadVocabulary, NamesFileAndLineOfWhatIsWrong) {
  const Folder folder;
  folder.write("blank.txt", "[PAD]\n\na\n").write("bytes.txt", "[PAD]\na\n\xff\n").write("empty.txt", "\n\n");
  const auto error = [&](const fs::path& path) { return error_of([&] { Tokenizer::read_vocabulary(path); }); };
  const std::string in = folder.path().string();
  EXPECT_EQ(error(folder.path() / "blank.txt"),
            in + "/blank.txt:2: is blank; expected one token per line, and blank lines at the end only");
  EXPECT_EQ(error(folder.path() / "bytes.txt"),
            in + "/bytes.txt:3: is not UTF-8; expected one token per line in UTF-8: save the file as UTF-8");
  EXPECT_EQ(error(folder.path() / "empty.txt"), in + "/empty.txt: holds no token; expected one per line");
  EXPECT_EQ(error(folder.path() / "absent.txt"), in + "/absent.txt: cannot be opened: No such file or directory");
  EXPECT_EQ(error(folder.path()), in + ": is a directory; expected a file");
  EXPECT_EQ(error("/dev/zero"), "/dev/zero: is a device; expected a file");
}

constexpr char kSmallText[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nA\n\u00e9\ne\n";
constexpr char kModel[] =
    R"("model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4,)"
    R"( "A": 5, "\u00e9": 6, "e": 7}})";

TEST(WordPieceDirectory, DefaultsAreUncased) {
  const Folder folder;
  folder.write("vocab.txt", kSmallText);
  const auto tokenizer = Tokenizer::from_directory(folder.path());
  EXPECT_TRUE(tokenizer.options().lowercase);
  EXPECT_EQ(tokenizer.options().strip_accents, std::nullopt);
  EXPECT_TRUE(tokenizer.options().tokenize_chinese_chars);
  EXPECT_TRUE(tokenizer.options().added_tokens.empty());
  EXPECT_EQ(tokenizer.encode("A \u00e9", 512).ids, (Ids{2, 4, 7, 3}));
}

TEST(WordPieceDirectory, VocabularyAndOptionsOfTokenizerJson) {
  const Folder folder;
  folder.write("tokenizer.json", std::string("{") + kModel +
                                     R"(, "normalizer": {"type": "BertNormalizer", "lowercase": false,
                                     "strip_accents": true, "handle_chinese_chars": false}, "added_tokens": [
                                     {"id": 0, "content": "[PAD]", "special": true},
                                     {"id": 1, "content": "[UNK]", "special": true},
                                     {"id": 2, "content": "[CLS]", "special": true},
                                     {"id": 3, "content": "[SEP]", "special": true}]})");
  folder.write("tokenizer_config.json", R"({"tokenizer_class": "PreTrainedTokenizerFast"})");
  const auto tokenizer = Tokenizer::from_directory(folder.path());
  EXPECT_FALSE(tokenizer.options().lowercase);
  EXPECT_EQ(tokenizer.options().strip_accents, true);
  EXPECT_FALSE(tokenizer.options().tokenize_chinese_chars);
  EXPECT_EQ(tokenizer.encode("A \u00e9", 512).ids, (Ids{2, 5, 7, 3}));
  folder.write("tokenizer_config.json",
               R"({"do_lower_case": true, "strip_accents": false, "tokenize_chinese_chars": null})");
  const auto other = Tokenizer::from_directory(folder.path());
  EXPECT_EQ(other.encode("A \u00e9", 512).ids, (Ids{2, 4, 6, 3})) << "BertTokenizer goes by tokenizer_config.json";
  EXPECT_TRUE(other.options().tokenize_chinese_chars) << "null says nothing";
  EXPECT_EQ(other.notes().size(), 3) << "what tokenizer.json has and is not used";
}

// What the tokenizer says about one field, in a directory that is right but for that. Errors without the path of the
// file.
struct Field {
  const char* name;
  Json value;
  const char* error;  // empty: none
};

std::string error_about(const char* file, Json whole, const Field& field) {
  whole[Json::json_pointer(field.name)] = field.value;
  const Folder folder;
  folder.write("vocab.txt", kSmallText).write(file, whole.dump());
  const std::string text = error_of([&] { Tokenizer::from_directory(folder.path()); });
  const std::string path = (folder.path() / file).string() + ": ";
  return text.starts_with(path) ? text.substr(path.size()) : text;
}

TEST(WordPieceDirectory, RefusesFieldsThatLeadToOtherIds) {
  const Json whole = Json::parse(std::string("{") + kModel + R"(, "normalizer": {"type": "BertNormalizer"}})");
  const Json sequence = {{"type", "Sequence"}, {"normalizers", {{{"type", "NFD"}}, {{"type", "Lowercase"}}}}};
  const Json other_end = {{"type", "BertProcessing"}, {"sep", {"</s>", 3}}, {"cls", {"[CLS]", 2}}};
  for (const Field& field : std::vector<Field>{
           {"/model/unk_token", "[PAD]", ""},
           {"/model/continuing_subword_prefix", "@@",
            "continuing_subword_prefix is \"@@\"; expected \"##\", since nothing "
            "else is done here"},
           {"/model/max_input_chars_per_word", 5, ""},
           {"/model/max_input_chars_per_word", 100, ""},
           {"/normalizer", nullptr, "its normalizer is null; expected BERT's BertNormalizer"},
           {"/normalizer", sequence, "its normalizer is a \"Sequence\"; expected BERT's BertNormalizer"},
           {"/normalizer", {{"type", "Sequence"}, {"normalizers", {{{"type", "BertNormalizer"}}}}}, ""},
           {"/normalizer/clean_text", false, "clean_text is false; expected true, since nothing else is done here"},
           {"/pre_tokenizer",
            {{"type", "Whitespace"}},
            "its pre_tokenizer is a \"Whitespace\"; expected BERT's "
            "BertPreTokenizer"},
           {"/post_processor", nullptr,
            "its post_processor is null; expected BERT's, [CLS] A [SEP] and [CLS] A [SEP] B "
            "[SEP] with B as segment 1 and the vocabulary's ids"},
           {"/post_processor", other_end,
            "its post_processor is \"BertProcessing\"; expected BERT's, [CLS] A [SEP] and "
            "[CLS] A [SEP] B [SEP] with B as segment 1 and the vocabulary's ids"},
           {"/truncation",
            {{"direction", "Left"}},
            "direction is \"Left\"; expected \"Right\", since nothing else is done "
            "here"},
           {"/truncation", {{"direction", "Right"}, {"max_length", 128}}, ""},
           {"/padding", {{"direction", "Left"}}, ""},
           {"/decoder", {{"type", "WordPiece"}}, ""}})
    EXPECT_EQ(error_about("tokenizer.json", whole, field), field.error) << field.name;
  for (const Field& field : std::vector<Field>{
           {"/truncation_side", "left",
            "truncation_side is \"left\"; expected \"right\", since nothing else is done here"},
           {"/split_special_tokens", true,
            "split_special_tokens is true; expected false, since nothing else is done here"},
           {"/cls_token", "<s>", ""},
           {"/cls_token", nullptr, "cls_token is not given, but [CLS] is in the vocabulary; expected cls_token [CLS]"},
           {"/mask_token", nullptr, ""},
           {"/mask_token", {{"content", "[MASK]"}, {"lstrip", true}}, ""},
           {"/tokenizer_class", "LlamaTokenizer",
            "tokenizer_class is \"LlamaTokenizer\"; expected BertTokenizer, RobertaTokenizer, or "
            "PreTrainedTokenizerFast with the pipeline of one of them in tokenizer.json"},
           {"/tokenizer_class", "PreTrainedTokenizerFast",
            "tokenizer_class is \"PreTrainedTokenizerFast\", but there is no tokenizer.json; expected BertTokenizer or "
            "RobertaTokenizer"},
           {"/auto_map",
            {{"AutoTokenizer", "x.y"}},
            "auto_map names a tokenizer in Python code; expected BertTokenizer as "
            "tokenizer_class, and no auto_map"}})
    EXPECT_EQ(error_about("tokenizer_config.json", Json::object(), field), field.error) << field.name;
}

TEST(WordPieceDirectory, NamesWhatIsNotUsed) {
  const auto notes = [](const char* file, const std::string& text) {
    const Folder folder;
    folder.write("vocab.txt", kSmallText).write(file, text);
    std::string all;
    const auto tokenizer = Tokenizer::from_directory(folder.path());
    for (const std::string& note : tokenizer.notes()) all += note.substr(note.rfind('/') + 1) + "\n";
    return all;
  };
  EXPECT_EQ(notes("tokenizer_config.json", R"({"do_lower_case": true, "model_max_length": 512, "name_or_path": "x"})"),
            "");
  EXPECT_EQ(notes("tokenizer_config.json", R"({"do_basic_tokenize": false, "lowercase_all": 1, "model_max_length": 64,
                                               "never_split": ["a"], "padding_side": "left"})"),
            "tokenizer_config.json: lowercase_all is unknown and not used\n"
            "tokenizer_config.json: do_basic_tokenize is not used, as in AutoTokenizer\n"
            "tokenizer_config.json: never_split is not used, as in AutoTokenizer\n"
            "tokenizer_config.json: padding_side is not used, since nothing is padded\n"
            "tokenizer_config.json: model_max_length is not used; --max-length 64 cuts texts there\n");
  EXPECT_EQ(
      notes("tokenizer.json", std::string("{") + kModel + R"(, "more": 1, "normalizer": {"type": "BertNormalizer",
                                                "lowercase": false}})"),
      "tokenizer.json: more is unknown and not used\n"
      "tokenizer.json: lowercase false is not used; do_lower_case is true by default, which AutoTokenizer follows\n");
}

TEST(WordPieceDirectory, SaysWhatIsWrong) {
  const auto error = [](std::string_view vocab_txt, std::string_view tokenizer, std::string_view config) {
    const Folder folder;
    if (!vocab_txt.empty()) folder.write("vocab.txt", vocab_txt);
    if (!tokenizer.empty()) folder.write("tokenizer.json", tokenizer);
    if (!config.empty()) folder.write("tokenizer_config.json", config);
    const std::string text = error_of([&] { Tokenizer::from_directory(folder.path()); });
    return text.starts_with(folder.path().string()) ? text.substr(folder.path().string().size()) : "no path: " + text;
  };
  const std::string model = std::string("{") + kModel;
  EXPECT_EQ(error("", "", ""), ": holds no vocabulary; expected vocab.txt or tokenizer.json");
  EXPECT_EQ(error("a\na\n", "", ""), ": the vocabulary has the token a twice, as 0 and 1");
  EXPECT_EQ(error("", R"({"model": {"type": "BPE"}})", R"({"tokenizer_class": "BertTokenizer"})"),
            "/tokenizer.json: its model is a \"BPE\"; expected BERT's WordPiece");
  EXPECT_EQ(error("", model + R"(, "normalizer": {"type": "Sequence"}})", ""),
            "/tokenizer.json: its normalizer is a \"Sequence\"; expected BERT's BertNormalizer");
  EXPECT_EQ(
      error("", R"({"model": {"vocab": {"a": 0, "b": 2}}})", ""),
      "/tokenizer.json: token \"b\" has the id 2; the ids of 2 tokens must count from 0 without a gap or a repetition");
  EXPECT_EQ(error("", R"({"model": {"vocab": {"a": 0, "b": 99999999999999999999}}})", "").substr(0, 40),
            "/tokenizer.json: token \"b\" has the id 1e");
  EXPECT_EQ(error("", R"({"model": [1]})", ""), "/tokenizer.json: model is a JSON array; expected an object");
  EXPECT_EQ(error("", "{\"model\": ", ""), "/tokenizer.json: is not JSON at byte 11; write the file again");
  EXPECT_EQ(error(kSmallText, "{\"\\\"" + std::string(100, '[') + "\": 0}", ""), "no path: ") << "brackets in a string";
  EXPECT_EQ(error("", std::string(1 << 20, '['), ""),
            "/tokenizer.json: nests deeper than 32 levels; expected a tokenizer file");
  EXPECT_EQ(error(kSmallText, "[]", ""), "/tokenizer.json: holds a JSON array; expected an object");
  EXPECT_EQ(error("[PAD]\n[UNK]\nx\n", model + "}", ""),
            ": token 2 is \"x\" in vocab.txt and \"[CLS]\" in tokenizer.json; remove the file that does not belong to "
            "the model");
  EXPECT_EQ(error(kSmallText, "", R"({"do_lower_case": "yes"})"),
            "/tokenizer_config.json: do_lower_case is a JSON string; expected true or false");
  EXPECT_EQ(
      error("", model + R"(, "added_tokens": [{"id": 20, "content": "x"}]})", ""),
      ": the added token \"x\" has the id 20, which is neither its own in the vocabulary nor the next free one, 8");
  EXPECT_EQ(error("", model + R"(, "added_tokens": [3]})", ""),
            "/tokenizer.json: an added token is 3; expected an object with content");

  EXPECT_EQ(error("", model + R"(, "added_tokens": {"id": 3}})", ""),
            "/tokenizer.json: an added token is 3; expected an object with content");

  EXPECT_EQ(error_of([] { Tokenizer::from_directory("/no/such"); }),
            "/no/such: holds no vocabulary; expected vocab.txt or tokenizer.json");
}

}  // namespace
}  // namespace espalier
