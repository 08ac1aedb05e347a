// SPDX-License-Identifier: Apache-2.0
// Added tokens and the files of tokenizers against Hugging Face's AutoTokenizer (tests/golden/added_tokens.py).
#include "data/text/added_tokens.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "data/text/tokenizer.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Ids = std::vector<int32_t>;

TEST(AddedTokensGolden, IdsAndSegmentsAreAutoTokenizers) {
  std::ifstream golden(std::string(ESPALIER_TESTS_DIR) + "/golden/added_tokens.jsonl");
  std::string line, vocabulary;
  std::getline(golden, line);
  const Json first = Json::parse(line);
  for (const Json& token : first["vocabulary"]) vocabulary += token.get<std::string>() + "\n";
  int rows = 0;
  for (; std::getline(golden, line); ++rows) {
    const Json row = Json::parse(line);
    const TemporaryFolder folder;
    write_bytes(folder / "vocab.txt", vocabulary);
    for (const auto& [name, text] : row["files"].items()) write_bytes(folder / name, text.get<std::string>());
    const auto tokenizer = Tokenizer::from_directory(folder.path());
    for (const Json& answer : row["answers"]) {
      const Json& text = answer["text"];
      const auto found = text.is_string()
                             ? tokenizer.encode(text.get<std::string>(), 512)
                             : tokenizer.encode_pair(text[0].get<std::string>(), text[1].get<std::string>(), 512);
      EXPECT_EQ(found.ids, answer["ids"].get<Ids>()) << row["name"] << ": " << text;
      EXPECT_EQ(found.segments, answer["segments"].get<Ids>()) << row["name"] << ": " << text;
    }
  }
  EXPECT_GT(rows, 90);
}

AddedTokens tokens_of(const std::vector<std::string>& texts) {
  std::vector<AddedTokens::Token> tokens;
  tokens.reserve(texts.size());
  for (const std::string& text : texts)
    tokens.push_back({text, static_cast<int32_t>(tokens.size()), false, false, false});
  return AddedTokens(std::move(tokens));
}

TEST(AddedTokens, FindsTheLongestOfAnyNumber) {
  std::vector<std::string> texts;
  texts.reserve(20003);
  for (int i = 0; i < 20000; ++i) texts.push_back("<" + std::to_string(i) + ">");
  texts.insert(texts.end(), {"<1", "<12", "<1"});
  const AddedTokens tokens = tokens_of(texts);
  const auto id = [&](std::string_view text) { return tokens.find(text, 0, 0)->id; };
  EXPECT_EQ(id("x<19999>"), 19999);
  EXPECT_EQ(id("<12345"), 20001) << "what is begun but not ended";
  EXPECT_EQ(id("<1x"), 20000) << "of two with the same text the first one";
  EXPECT_FALSE(tokens.find("<x 1>", 0, 0));
}

}  // namespace
}  // namespace espalier
