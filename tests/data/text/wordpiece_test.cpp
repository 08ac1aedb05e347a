// SPDX-License-Identifier: Apache-2.0
// Tokenizer against Hugging Face's ids (tests/golden/tokens.py), and its behaviour on bad input.
#include "data/text/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>
#include <thread>

#include "core/check.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(ESPALIER_TESTS_DIR) / "golden";

const std::map<std::string, TokenizerOptions>& named_options() {
  static const std::map<std::string, TokenizerOptions> options = {
      {"uncased", {}},
      {"cased", {.lowercase = false}},
      {"keep_accents", {.strip_accents = false}},
      {"strip_only", {.lowercase = false, .strip_accents = true, .tokenize_chinese_chars = false}}};
  return options;
}

Tokenizer golden_tokenizer(const std::string& options = "uncased") {
  return {Tokenizer::read_vocabulary(kGolden / "tokens_vocab.txt"), named_options().at(options)};
}

std::vector<std::string> small_vocabulary() {
  return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a", "b", "##c", "aa", "##cc", "A", "e", "\u00e9"};
}

using Ids = std::vector<int32_t>;

Ids small_ids(std::string_view text, TokenizerOptions options = {}, int max_length = 512) {
  return Tokenizer(small_vocabulary(), std::move(options)).encode(text, max_length).ids;
}

std::vector<std::string> words(std::string_view text, const TokenizerOptions& options = {}) {
  std::vector<std::string> result;
  BertWords reader(text, options);
  for (auto word = reader.next(); !word.empty(); word = reader.next()) result.emplace_back(word);
  return result;
}

// The text of the Error that the call throws; empty where it throws none.
template <class Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) { return error.what(); }
  return "";
}

TEST(WordPieceGolden, IdsAndSegmentsAreHuggingFaces) {
  std::map<std::string, Tokenizer> tokenizers;
  for (const auto& [name, options] : named_options()) tokenizers.emplace(name, golden_tokenizer(name));
  std::ifstream file(kGolden / "tokens.jsonl");
  int rows = 0;
  for (std::string line; std::getline(file, line); ++rows) {
    const auto row = nlohmann::json::parse(line);
    const Tokenizer& tokenizer = tokenizers.at(row["options"]);
    const std::string first = row["first"];
    const auto found = row["second"].is_null()
                           ? tokenizer.encode(first, row["max_length"])
                           : tokenizer.encode_pair(first, row["second"].get<std::string>(), row["max_length"]);
    EXPECT_EQ(found.ids, row["ids"].get<Ids>()) << line;
    EXPECT_EQ(found.segments, row["segments"].get<Ids>()) << line;
  }
  EXPECT_GT(rows, 1000);
}

// Every code point, in a text that shows what becomes of it and where it goes among combining marks.
TEST(WordPieceGolden, EveryCodePointIsTreatedAsByHuggingFace) {
  std::ifstream file(kGolden / "tokens_code_points.tsv");
  std::string line, column;
  std::getline(file, line);
  std::istringstream heading(line);
  heading >> column >> column;
  std::vector<std::string> names;
  while (heading >> column) names.push_back(column);
  ASSERT_EQ(names.size(), named_options().size());
  int blocks = 0;
  for (; std::getline(file, line); ++blocks) {
    std::istringstream row(line);
    uint32_t first = 0, last = 0;
    row >> std::hex >> first >> last;
    for (const std::string& name : names) {
      uint64_t expected = 0, found = 0xcbf29ce484222325;  // FNV-1a
      row >> expected;
      for (uint32_t c = first; c <= last; ++c) {
        std::string text = "A";
        append_utf8(text, c);
        text += "\u302e\u1b44";
        append_utf8(text, c);
        for (const std::string& word : words(text + "b", named_options().at(name)))
          for (const char byte : word + "\n") found = (found ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
      }
      EXPECT_EQ(found, expected) << name << " differs somewhere in U+" << std::hex << first << " to U+" << last;
    }
  }
  EXPECT_GT(blocks, 50);
}

TEST(WordPiece, TakesTheLongestPieceOrGivesUpTheWholeWord) {
  EXPECT_EQ(small_ids("aacc aac ac acca b."), (Ids{2, 7, 8, 7, 6, 4, 6, 1, 5, 1, 3}));
}

TEST(WordPiece, CountsCodePointsOfAWordNotBytes) {
  std::string hundred = "e";
  for (int i = 1; i < 100; ++i) hundred += "\u00e9";
  auto vocabulary = small_vocabulary();
  vocabulary.emplace_back("##\u00e9");
  const Tokenizer tokenizer(vocabulary, {.lowercase = false});
  EXPECT_EQ(tokenizer.encode(hundred, 512).ids.size(), 102U);
  EXPECT_EQ(tokenizer.encode(hundred + "\u00e9", 512).ids, (Ids{2, 1, 3}));
}

TEST(WordPiece, StripAccentsFollowsLowercaseUnlessSet) {
  EXPECT_EQ(small_ids("\u00e9 A"), (Ids{2, 10, 4, 3}));
  EXPECT_EQ(small_ids("\u00e9 A", {.lowercase = false}), (Ids{2, 11, 9, 3}));
  EXPECT_EQ(small_ids("\u00e9 A", {.strip_accents = false}), (Ids{2, 11, 4, 3}));
  EXPECT_EQ(small_ids("\u00e9 A", {.lowercase = false, .strip_accents = true}), (Ids{2, 10, 9, 3}));
}

TEST(WordPiece, LongestAddedTokenWins) {
  auto vocabulary = small_vocabulary();
  vocabulary.insert(vocabulary.end(), {"<e>", "<e>a", "[SEP]a"});
  const Tokenizer tokenizer(vocabulary, {.added_tokens = {{"<e>"}, {"<e>a"}, {"[SEP]a"}}});
  EXPECT_EQ(tokenizer.encode("b<e>ab<e>[SEP]aa<E>", 512).ids, (Ids{2, 5, 13, 5, 12, 14, 4, 1, 10, 1, 3}));
}

TEST(WordPiece, DropsBytesThatAreNotUtf8) {
  const std::vector<std::string> joined = {"ab"};
  EXPECT_EQ(words("a\xff"
                  "b"),
            joined);
  EXPECT_EQ(words("a\x80"
                  "b"),
            joined)
      << "a continuation byte alone";
  EXPECT_EQ(words("a\xe4\xb8"
                  "b"),
            joined)
      << "cut short by a letter";
  EXPECT_EQ(words("ab\xe4\xb8"), joined) << "cut short by the end";
  EXPECT_EQ(words("a\xed\xa0\x80"
                  "b"),
            joined)
      << "a surrogate";
  EXPECT_EQ(words("a\xc1\xa1"
                  "b"),
            joined)
      << "overlong";
  EXPECT_EQ(words("a\xf4\x90\x80\x80"
                  "b"),
            joined)
      << "beyond U+10FFFF";
  EXPECT_EQ(words(std::string_view("a\0b", 3)), joined);
}

TEST(WordPiece, AnyBytesGiveAWellFormedEncodingThatTruncationOnlyCuts) {
  const Tokenizer tokenizer = golden_tokenizer();
  const auto& vocabulary = tokenizer.vocabulary();
  std::mt19937 random(1);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (auto parts = random() % 12; parts > 0; --parts) {
      if (random() % 3 == 0) text += vocabulary[random() % vocabulary.size()];
      for (auto bytes = random() % 6; bytes > 0; --bytes) text += static_cast<char>(random() % 256);
    }
    const auto whole = tokenizer.encode(text, 1 << 30);
    for (const int32_t id : whole.ids) ASSERT_TRUE(id >= 0 && id < tokenizer.size());
    const int max_length = 2 + static_cast<int>(random() % 20);
    const auto cut = tokenizer.encode(text, max_length);
    auto expected = whole.ids;
    if (expected.size() > static_cast<std::size_t>(max_length)) {
      expected.resize(max_length - 1);
      expected.push_back(tokenizer.sep());
    }
    ASSERT_EQ(cut.ids, expected);
    ASSERT_EQ(cut.ids.front(), tokenizer.cls());
    ASSERT_EQ(cut.segments, Ids(cut.ids.size(), 0));
    const auto pair = tokenizer.encode_pair(text, "b a", max_length + 1);
    ASSERT_LE(pair.ids.size(), static_cast<std::size_t>(max_length) + 1);
    ASSERT_TRUE(std::is_sorted(pair.segments.begin(), pair.segments.end()));
  }
}

// A quadratic reordering of combining marks would need minutes here.
TEST(WordPiece, AMegabyteOfCombiningMarksIsNoTrouble) {
  std::string text = "a";
  for (int i = 0; i < 150'000; ++i) text += "\u302e\u1b44";
  const auto found = words(text);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].size(), text.size());
  EXPECT_EQ(found[0].substr(0, 7), "a\u1b44\u1b44");
}

TEST(WordPiece, ThreadsShareOneTokenizer) {
  const Tokenizer tokenizer = golden_tokenizer();
  const std::string text = "unbelievable [MASK] caf\u00e9 \u4e2d\u6587 journeys";
  const Ids expected = tokenizer.encode(text, 512).ids;
  std::vector<int> equal(4, 0);
  std::vector<std::thread> threads;
  threads.reserve(equal.size());
  for (int& count : equal)
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) count += tokenizer.encode(text, 512).ids == expected;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(equal, std::vector<int>(4, 500));
}

TEST(WordPiece, ACopyIsIndependent) {
  auto original = std::make_unique<Tokenizer>(small_vocabulary(), TokenizerOptions{});
  const Tokenizer copy = *original;
  original.reset();
  EXPECT_EQ(copy.encode("aac [SEP]", 512).ids, (Ids{2, 7, 6, 3, 3}));
}

TEST(WordPiece, AccessorsNameTheSpecialTokens) {
  const Tokenizer tokenizer(small_vocabulary(), {});
  EXPECT_EQ(tokenizer.size(), 12);
  EXPECT_EQ((Ids{tokenizer.pad(), tokenizer.unk(), tokenizer.cls(), tokenizer.sep()}), (Ids{0, 1, 2, 3}));
  EXPECT_EQ(tokenizer.token(8), "##cc");
  EXPECT_EQ(error_of([&] { tokenizer.token(12); }), "token id 12 is outside the vocabulary of 12 tokens");
  EXPECT_EQ(error_of([&] { tokenizer.token(-1); }), "token id -1 is outside the vocabulary of 12 tokens");
}

TEST(WordPiece, TooSmallAMaxLengthIsAnError) {
  const Tokenizer tokenizer(small_vocabulary(), {});
  EXPECT_EQ(error_of([&] { tokenizer.encode("a", 1); }),
            "max_length 1 has no room for [CLS] and [SEP]; it must be at least 2");
  EXPECT_EQ(error_of([&] { tokenizer.encode_pair("a", "b", 2); }),
            "max_length 2 has no room for [CLS] and two [SEP]; it must be at least 3");
  EXPECT_EQ(error_of([&] { tokenizer.encode("a", -5); }),
            "max_length -5 has no room for [CLS] and [SEP]; it must be at least 2");
}

TEST(WordPiece, VocabularyMustBeWhole) {
  const auto error = [](std::vector<std::string> vocabulary, TokenizerOptions options = {}) {
    return error_of([&] { Tokenizer(std::move(vocabulary), std::move(options)); });
  };
  EXPECT_EQ(error({"[UNK]", "[CLS]", "a"}), "the vocabulary of 3 tokens lacks [PAD] [SEP]");
  EXPECT_EQ(error({}), "the vocabulary of 0 tokens lacks [PAD] [UNK] [CLS] [SEP]");
  EXPECT_EQ(error(small_vocabulary(), {.added_tokens = {{"a"}, {"<e>"}}}), "the vocabulary of 12 tokens lacks <e>");
  EXPECT_EQ(error({"[PAD]", "a", "b", "a"}), "the vocabulary has the token a twice, as 1 and 3");
  EXPECT_EQ(error({"[PAD]", ""}), "token 1 of the vocabulary is empty");
}

}  // namespace
}  // namespace espalier
