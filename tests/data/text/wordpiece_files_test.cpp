// SPDX-License-Identifier: Apache-2.0
// What WordPiece reads from vocab.txt, tokenizer.json and tokenizer_config.json, and what it says about bad ones.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "core/check.h"
#include "data/text/wordpiece.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

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
  EXPECT_EQ(WordPiece::read_vocabulary(folder.path() / "v.txt"),
            (std::vector<std::string>{"[PAD]", "a b", "##\u00e9"}));
}

TEST(ReadVocabulary, NamesFileAndLineOfWhatIsWrong) {
  const Folder folder;
  folder.write("blank.txt", "[PAD]\n\na\n").write("bytes.txt", "[PAD]\na\n\xff\n").write("empty.txt", "\n\n");
  const auto error = [&](const fs::path& path) { return error_of([&] { WordPiece::read_vocabulary(path); }); };
  const std::string in = folder.path().string();
  EXPECT_EQ(error(folder.path() / "blank.txt"), in + "/blank.txt: line 2 is blank; expected one token per line");
  EXPECT_EQ(error(folder.path() / "bytes.txt"), in + "/bytes.txt: line 3 is not UTF-8; expected one token per line");
  EXPECT_EQ(error(folder.path() / "empty.txt"), in + "/empty.txt: holds no token; expected one per line");
  EXPECT_EQ(error(folder.path() / "absent.txt"), in + "/absent.txt: cannot be opened for reading");
  EXPECT_EQ(error(folder.path()), in + ": is a directory; expected a file");
  EXPECT_EQ(error("/dev/zero"), "/dev/zero: holds more than 32 MB; expected a tokenizer file");
}

constexpr char kSmallText[] = "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nA\n\u00e9\ne\n";
constexpr char kModel[] =
    R"("model": {"type": "WordPiece", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "a": 4,)"
    R"( "A": 5, "\u00e9": 6, "e": 7}})";

TEST(WordPieceDirectory, DefaultsAreUncased) {
  const Folder folder;
  folder.write("vocab.txt", kSmallText);
  const auto tokenizer = WordPiece::from_directory(folder.path());
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
                                     "strip_accents": true, "handle_chinese_chars": false}})");
  const auto tokenizer = WordPiece::from_directory(folder.path());
  EXPECT_FALSE(tokenizer.options().lowercase);
  EXPECT_EQ(tokenizer.options().strip_accents, true);
  EXPECT_FALSE(tokenizer.options().tokenize_chinese_chars);
  EXPECT_EQ(tokenizer.encode("A \u00e9", 512).ids, (Ids{2, 5, 7, 3}));
  folder.write("tokenizer_config.json",
               R"({"do_lower_case": true, "strip_accents": false, "tokenize_chinese_chars": null})");
  const auto other = WordPiece::from_directory(folder.path());
  EXPECT_EQ(other.encode("A \u00e9", 512).ids, (Ids{2, 4, 6, 3})) << "tokenizer_config.json comes first";
  EXPECT_FALSE(other.options().tokenize_chinese_chars) << "null says nothing";
}

TEST(WordPieceDirectory, AddedTokensFollowTheVocabulary) {
  const Folder with_json, with_config;
  with_json.write("tokenizer.json",
                  std::string("{") + kModel + R"(, "added_tokens": [{"id": 8, "content": "[E1]", "lstrip": false},
                                        {"id": 0, "content": "[PAD]", "special": true}]})");
  with_config.write("vocab.txt", kSmallText);
  with_config.write("tokenizer_config.json",
                    R"({"added_tokens_decoder": {"8": {"content": "[E1]"}, "9": {"content": "x"}}})");
  EXPECT_EQ(WordPiece::from_directory(with_json.path()).encode("a[E1]", 512).ids, (Ids{2, 4, 8, 3}));
  EXPECT_EQ(WordPiece::from_directory(with_config.path()).encode("a[E1]axa", 512).ids, (Ids{2, 4, 8, 4, 9, 4, 3}));
}

TEST(WordPieceDirectory, SaysWhatIsWrong) {
  const auto error = [](std::string_view vocab_txt, std::string_view tokenizer, std::string_view config) {
    const Folder folder;
    if (!vocab_txt.empty()) folder.write("vocab.txt", vocab_txt);
    if (!tokenizer.empty()) folder.write("tokenizer.json", tokenizer);
    if (!config.empty()) folder.write("tokenizer_config.json", config);
    const std::string text = error_of([&] { WordPiece::from_directory(folder.path()); });
    return text.starts_with(folder.path().string()) ? text.substr(folder.path().string().size()) : "no path: " + text;
  };
  const std::string model = std::string("{") + kModel;
  EXPECT_EQ(error("", "", ""), ": holds no vocabulary; expected vocab.txt or tokenizer.json");
  EXPECT_EQ(error("a\na\n", "", ""), ": the vocabulary has the token a twice, as 0 and 1");
  EXPECT_EQ(error("", R"({"model": {"type": "BPE"}})", ""),
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
  EXPECT_EQ(
      error("[PAD]\n[UNK]\nx\n", model + "}", ""),
      ": token 2 is x in vocab.txt and [CLS] in tokenizer.json; remove the file that does not belong to the model");
  EXPECT_EQ(error(kSmallText, "", R"({"do_lower_case": "yes"})"),
            "/tokenizer_config.json: do_lower_case is a JSON string; expected true or false");
  EXPECT_EQ(
      error("", model + R"(, "added_tokens": [{"id": 20, "content": "x"}]})", ""),
      ": the added token \"x\" has the id 20, which is neither its own in the vocabulary nor the next free one, 8");
  EXPECT_EQ(error("", model + R"(, "added_tokens": [{"id": 8, "content": "x", "lstrip": true}]})", ""),
            ": the added token \"x\" asks for lstrip, which Espalier does not do; set it to false");
  EXPECT_EQ(error("", model + R"(, "added_tokens": [3]})", ""),
            ": an added token is 3; expected an object with content and id");
  EXPECT_EQ(error("", model + R"(, "added_tokens": {"id": 3}})", ""),
            ": an added token is 3; expected an object with content and id");
  EXPECT_EQ(error_of([] { WordPiece::from_directory("/no/such"); }),
            "/no/such: holds no vocabulary; expected vocab.txt or tokenizer.json");
}

}  // namespace
}  // namespace espalier
