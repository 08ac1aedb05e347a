// SPDX-License-Identifier: Apache-2.0
// Trained vocabularies against Hugging Face's tokenizers (tests/golden/vocabulary.py), and the rules of WordPiece's.
#include "data/text/vocabulary_training.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/check.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

Tokenizer trained_on(const std::vector<std::string>& texts, const VocabularyTraining& training) {
  WordCounts counts(training.options);
  for (const std::string& text : texts) counts.add(text);
  return training.run(counts.words());
}

const TokenizerOptions byte_level = {
    .segments = false, .kind = TokenizerKind::byte_level_bpe, .special = SpecialTokens::roberta()};

TEST(VocabularyTraining, ByteLevelMergesAreThoseOfTokenizers) {
  const Json golden = Json::parse(read_bytes(std::string(ESPALIER_TESTS_DIR) + "/golden/vocabulary.json"));
  auto sentences = golden["sentences"].get<std::vector<std::string>>();
  for (const Json& expected : golden["trained"]) {
    VocabularyTraining training = {.options = byte_level, .size = 700};
    training.options.add_prefix_space = expected["prefix_space"];
    const Tokenizer found = trained_on(sentences, training);
    EXPECT_EQ(found.options().merges, expected["merges"].get<std::vector<std::string>>());
    EXPECT_EQ(found.vocabulary(), expected["vocabulary"].get<std::vector<std::string>>());
    std::ranges::reverse(sentences);
    EXPECT_EQ(trained_on(sentences, training).vocabulary(), found.vocabulary()) << "the order of texts does not count";
  }
}

TEST(VocabularyTraining, WordPieceMergesTheMostFrequentPairs) {
  const Tokenizer found = trained_on({"abab abab Abab", "cab cab", "\u00e9t\u00e9 x"}, {.size = 100, .least = 2});
  const std::vector<std::string> expected = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a",   "b",
                                             "c",     "e",     "t",     "x",     "##b",    "##a", "##t",
                                             "##e",   "##ab",  "ab",    "abab",  "cab"};
  EXPECT_EQ(found.vocabulary(), expected);
  std::vector<std::string> pieces;
  for (const int32_t id : found.encode("ABAB cabab", 512).ids) pieces.push_back(found.token(id));
  EXPECT_EQ(pieces, (std::vector<std::string>{"[CLS]", "abab", "cab", "##ab", "[SEP]"}));
}

TEST(VocabularyTraining, KeepsSizeFrequencyAndAlphabet) {
  const std::vector<std::string> texts = {"abab abab", "zzzz yx"};
  EXPECT_EQ(trained_on(texts, {.size = 16, .least = 1}).size(), 16);
  const auto has = [](const Tokenizer& t, const std::string& token) {
    return std::ranges::find(t.vocabulary(), token) != t.vocabulary().end();
  };
  EXPECT_TRUE(has(trained_on(texts, {.size = 40, .least = 1}), "yx"));
  EXPECT_FALSE(has(trained_on(texts, {.size = 40, .least = 2}), "yx"));
  const Tokenizer few = trained_on(texts, {.size = 40, .alphabet = 3});
  EXPECT_TRUE(has(few, "z") && has(few, "a") && has(few, "b") && !has(few, "y") && !has(few, "x"));
  const Tokenizer cased = trained_on({"Ab"}, {.options = {.lowercase = false}});
  EXPECT_TRUE(has(cased, "A"));
}

TEST(VocabularyTraining, SaysWhatIsWrong) {
  EXPECT_EQ(error_of<Error>([] {
              trained_on({"", " \t"}, {});
            }),
            "--input: there is no word to learn from; expected texts, a sentence a line");
  EXPECT_EQ(
      error_of<Error>([] { trained_on({"abc"}, {.size = 10}); }),
      "a vocabulary of 10 tokens has no room for pieces: special tokens and single characters take 10; expected a "
      "larger size");
}

}  // namespace
}  // namespace espalier
