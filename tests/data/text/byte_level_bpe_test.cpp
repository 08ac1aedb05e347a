// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE against Hugging Face's AutoTokenizer (tests/golden/byte_level.py), and its files, good and bad.
#include "data/text/byte_level_bpe.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/check.h"
#include "data/text/gpt2_words.h"
#include "data/text/tokenizer.h"
#include "data/text/unicode_classes.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

const fs::path golden = fs::path(ESPALIER_TESTS_DIR) / "golden";

// A directory of RoBERTa's with the golden vocabulary.
struct Roberta {
  explicit Roberta(const std::map<std::string, std::string>& files = {}) {
    write_bytes(folder / "config.json", R"({"model_type": "roberta"})");
    if (!files.contains("tokenizer.json"))
      for (const char* name : {"vocab.json", "merges.txt"})
        write_bytes(folder / name, read_bytes(golden / "byte_level" / name));
    for (const auto& [name, text] : files) write_bytes(folder / name, text);
  }
  Tokenizer open() const { return Tokenizer::from_directory(folder.path()); }
  TemporaryFolder folder;
};

TEST(ByteLevelGolden, IdsAreAutoTokenizers) {
  std::ifstream rows(golden / "byte_level.jsonl");
  int answers = 0;
  for (std::string line; std::getline(rows, line);) {
    const Json row = Json::parse(line);
    const Tokenizer tokenizer = Roberta(row["files"].get<std::map<std::string, std::string>>()).open();
    for (const Json& answer : row["answers"]) {
      const auto first = answer[0].get<std::string>();
      const auto found = answer[1].is_null() ? tokenizer.encode(first, answer[2])
                                             : tokenizer.encode_pair(first, answer[1].get<std::string>(), answer[2]);
      ASSERT_EQ(found.ids, answer[3].get<Ids>()) << row["name"] << ": " << answer[0] << answer[1] << answer[2];
      ASSERT_EQ(found.segments, Ids(found.ids.size(), 0));
      ++answers;
    }
  }
  EXPECT_GT(answers, 4000);
}

TEST(ByteLevelGolden, EveryCodePointIsTreatedAsByHuggingFace) {
  std::ifstream table(golden / "byte_level_code_points.tsv");
  std::string line;
  std::getline(table, line);
  int blocks = 0;
  for (; std::getline(table, line); ++blocks) {
    std::istringstream row(line);
    char32_t first = 0, last = 0;
    uint64_t expected = 0;
    uint32_t a = 0, b = 0;
    row >> std::hex >> a >> b >> expected;
    first = a, last = b;
    uint64_t hash = 0xCBF29CE484222325;
    const auto add = [&](char byte) { hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001B3; };
    for (char32_t c = first; c <= last; ++c) {
      std::string text = "a";
      for (const char* behind : {"1", "!", " ", "  ", "", "b"}) {
        append_utf8(text, c);
        text += behind;
      }
      for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = end_of_gpt2_word(text, at);
        for (; at < end; ++at) add(text[at]);
        add('\n');
      }
    }
    EXPECT_EQ(hash, expected) << "from " << std::hex << a;
  }
  EXPECT_GT(blocks, 50);
}

TEST(ByteLevelBpe, AnyBytesAreEncodedAndNoneIsLost) {
  const Tokenizer tokenizer = Roberta().open();
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  bytes += "\xe2\x82 the \xff";
  std::string letters, expected;
  for (const char byte : bytes) expected += byte_letters()[static_cast<unsigned char>(byte)];
  const Ids ids = tokenizer.encode(bytes, 1 << 20).ids;
  for (std::size_t i = 1; i + 1 < ids.size(); ++i) letters += tokenizer.token(ids[i]);
  EXPECT_EQ(letters, expected);
}

TEST(ByteLevelBpe, AWordOfAMegabyteIsNoTrouble) {
  const Tokenizer tokenizer = Roberta().open();
  EXPECT_GT(tokenizer.encode(std::string(1 << 20, 'a'), 1 << 30).ids.size(), 1000U);
  EXPECT_EQ(tokenizer.encode(std::string(1 << 20, ' '), 1 << 30).ids.size(),
            tokenizer.encode(std::string(1 << 20, ' '), 1 << 30).segments.size());
}

TEST(ByteLevelBpe, TokensMetAreEnoughForTheSameIds) {
  const Tokenizer all = Roberta().open();
  const std::string text = " the charming journey of unbelievable words, don't";
  std::set<std::string_view> tokens(byte_letters().begin(), byte_letters().end());
  for (const int32_t id : all.whole_tokens()) tokens.insert(all.token(id));
  for (const int32_t id : all.tokens_met(text)) tokens.insert(all.token(id));
  TokenizerOptions options = all.options();
  options.merges = merges_among(tokens, options.merges);
  EXPECT_LT(options.merges.size(), all.options().merges.size());
  const Tokenizer fewer({tokens.begin(), tokens.end()}, options);
  const auto words = [&](const Tokenizer& tokenizer) {
    std::vector<std::string> names;
    for (const int32_t id : tokenizer.encode(text, 512).ids) names.push_back(tokenizer.token(id));
    return names;
  };
  EXPECT_EQ(words(fewer), words(all));
}

TEST(ByteLevelBpe, SpecialTokensAndWordsThatGoOn) {
  const Tokenizer tokenizer = Roberta().open();
  EXPECT_EQ((Ids{tokenizer.cls(), tokenizer.pad(), tokenizer.sep(), tokenizer.unk(), *tokenizer.mask()}),
            (Ids{0, 1, 2, 3, 4}));
  const Ids ids = tokenizer.encode(" the filmx", 512).ids;
  EXPECT_FALSE(tokenizer.continues_word(ids[1]));
  EXPECT_TRUE(tokenizer.continues_word(ids[ids.size() - 2]));
  EXPECT_EQ(error_of<Error>([&] { tokenizer.encode_pair("a", "b", 3); }),
            "max_length 3 has no room for <s> and three </s>; it must be at least 4");
}

// The error of a directory that is right but for one file, without the path of the folder.
std::string error_about(const std::string& file, const std::string& text) {
  const Roberta directory(std::map<std::string, std::string>{{file, text}});
  const std::string error = error_of<Error>([&] { directory.open(); }), path = directory.folder.path().string();
  return error.starts_with(path) ? error.substr(path.size()) : error;
}

TEST(ByteLevelFiles, BadMergesAreNamedByFileAndLine) {
  const std::string merges = read_bytes(golden / "byte_level" / "merges.txt");
  const auto with = [&](const std::string& line) { return "#version: 0.2\n" + line + "\n" + merges; };
  EXPECT_EQ(error_about("merges.txt", with("q zz")),
            "/merges.txt:2: the merge 'q zz' needs the token 'zz', which the vocabulary lacks; take merges and "
            "vocabulary of the same model");
  EXPECT_EQ(error_about("merges.txt", with("q z")),
            "/merges.txt:2: the merge 'q z' needs the token 'qz', which the vocabulary lacks; take merges and "
            "vocabulary of the same model");
  for (const char* line : {"qz", "a b c", " a", "a ", "a  b"})
    EXPECT_EQ(error_about("merges.txt", with(line)), "/merges.txt:2: the merge is '" + std::string(line) +
                                                         "'; expected two tokens with one space between them");
  const std::size_t first = merges.find('\n') + 1, second = merges.find('\n', first) + 1;
  const std::string one = merges.substr(first, second - first - 1);
  EXPECT_EQ(error_about("merges.txt", merges + one + "\n"),
            "/merges.txt:641: the merge '" + one + "' is there a second time");
  const std::size_t last = merges.rfind('\n', merges.size() - 2) + 1;
  std::string fewer = merges;
  fewer.replace(first, second - first, "");
  EXPECT_EQ(error_about("merges.txt", fewer),
            "/merges.txt:2: the merge 'xx xx' needs 'xx', which no merge makes; take "
            "all merges, as the model's author wrote them");
  EXPECT_EQ(error_about("merges.txt", fewer + one + "\n"), "no error") << "the order is the author's business";
  EXPECT_EQ(error_about("merges.txt", merges.substr(0, last)), "no error")
      << "fewer merges are other ids, but no error";
  EXPECT_EQ(error_about("merges.txt", merges + "\n\na b\n").substr(0, 28), "/merges.txt:641: is blank; e");
}

TEST(ByteLevelFiles, BadVocabulariesAreNamed) {
  Json vocabulary = Json::parse(read_bytes(golden / "byte_level" / "vocab.json"));
  const auto without = [&](const std::string& token) {
    Json less = vocabulary;
    const int gone = less[token];
    less.erase(token);
    for (auto& [name, id] : less.items())
      if (id == less.size()) id = gone;
    return less.dump();
  };
  EXPECT_EQ(error_about("vocab.json", without("Ġ")).substr(0, 46), "/merges.txt:7: the merge 'Ġ Ġ' needs the tok")
      << "the merges come first";
  EXPECT_EQ(error_about("vocab.json", without("ÿ")),
            ": the vocabulary lacks 'ÿ', the letter of byte 255; expected one for each of the 256 bytes: take the "
            "vocabulary of a byte-level BPE");
  EXPECT_EQ(error_about("vocab.json", without("<pad>")), ": the vocabulary of 899 tokens lacks <pad>");
  Json gap = vocabulary;
  gap["!"] = 5000;
  EXPECT_EQ(error_about("vocab.json", gap.dump()),
            "/vocab.json: token \"!\" has the id 5000; the ids of 900 tokens must count from 0 without a gap or a "
            "repetition");
  EXPECT_EQ(error_about("vocab.json", "[]"), "/vocab.json: holds a JSON array; expected an object");
  const Roberta directory;
  const std::string path = directory.folder.path().string();
  fs::remove(directory.folder / "merges.txt");
  EXPECT_EQ(error_of<Error>([&] { directory.open(); }),
            path + ": holds no merges; expected merges.txt beside vocab.json, or tokenizer.json");
  fs::remove(directory.folder / "vocab.json");
  EXPECT_EQ(error_of<Error>([&] { directory.open(); }),
            path + ": holds no vocabulary; expected vocab.json and merges.txt or tokenizer.json");
}

// tokenizer.json of the golden vocabulary, as the class of tokenizer_config.json takes it.
struct Field {
  const char* name;
  Json value;
  const char* error;  // empty: none
};

TEST(ByteLevelFiles, RefusesFieldsThatLeadToOtherIds) {
  std::ifstream rows(golden / "byte_level.jsonl");
  Json whole;
  for (std::string line; whole.is_null() && std::getline(rows, line);)
    if (const Json row = Json::parse(line); row["name"] == "tokenizer.json")
      whole = Json::parse(row["files"]["tokenizer.json"].get<std::string>());
  ASSERT_FALSE(whole.is_null());
  for (const Field& field : std::vector<Field>{
           {"/model/dropout", 0.1, "dropout is 0.1; expected 0.0, since nothing else is done here"},
           {"/model/end_of_word_suffix", "</w>",
            "end_of_word_suffix is \"</w>\"; expected \"\", since nothing else is done here"},
           {"/model/ignore_merges", true, "ignore_merges is true; expected false, since nothing else is done here"},
           {"/model/type", "Unigram", "its model is a \"Unigram\"; expected RoBERTa's BPE"},
           {"/normalizer",
            {{"type", "NFC"}},
            "normalizer is {\"type\":\"NFC\"}; expected null, since nothing else is done here"},
           {"/pre_tokenizer/use_regex", false, "use_regex is false; expected true, since nothing else is done here"},
           {"/pre_tokenizer",
            {{"type", "Whitespace"}},
            "its pre_tokenizer is a \"Whitespace\"; expected RoBERTa's ByteLevel"},
           {"/post_processor/sep",
            {"</s>", 7},
            "its post_processor is \"RobertaProcessing\"; expected RoBERTa's, <s> A </s> and <s> A </s></s> B </s> "
            "with the vocabulary's ids"},
           {"/post_processor/trim_offsets", false, ""},
           {"/model/merges/3", 5, "merge 3 is 5; expected two tokens"},
           {"/model/merges", "x", "merges is a JSON string; expected a list"},
           {"/model/merges/0",
            {"q", "z"},
            ": merge 0: the merge 'q z' needs the token 'qz', which the vocabulary lacks; take merges and "
            "vocabulary of the same model"}}) {
    Json changed = whole;
    changed[Json::json_pointer(field.name)] = field.value;
    const std::string error = error_about("tokenizer.json", changed.dump());
    const std::string expected = *field.error == 0 ? "no error" : "/tokenizer.json: " + std::string(field.error);
    EXPECT_EQ(error, *field.error == ':' ? "/tokenizer.json" + std::string(field.error) : expected) << field.name;
  }
}

}  // namespace
}  // namespace espalier
