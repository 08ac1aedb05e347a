// SPDX-License-Identifier: Apache-2.0
// The runtime for edge files, on any machine: the answers of the full library (tests/golden/edge.sh), and files that
// are wrong. It sees espalier.h alone.
#include "apps/inference/espalier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace {

const std::string golden = ESPALIER_TESTS_DIR "/golden/edge/";

std::string bytes_of(const std::string& name) {
  std::ifstream file(golden + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct Opened {
  explicit Opened(const std::string& bytes) : code(espalier_open_memory(bytes.data(), bytes.size(), nullptr, &model)) {}
  ~Opened() { espalier_close(model); }
  Opened(const Opened&) = delete;
  Opened& operator=(const Opened&) = delete;

  espalier_classifier* model = nullptr;
  int code;
};

void expect_refused(const std::string& bytes, const std::string& part) {
  const Opened opened(bytes);
  EXPECT_EQ(opened.code, ESPALIER_MISTAKE) << part;
  EXPECT_EQ(opened.model, nullptr);
  EXPECT_NE(std::string(espalier_error()).find(part), std::string::npos) << espalier_error() << "\nexpected: " << part;
}

// Such bytes are not copied. The pool of tensors must not take them for its own.
TEST(Bytes, AtAMultipleOf64AreReadWhereTheyLie) {
  const std::string file = bytes_of("static.edge");
  std::vector<char> room(file.size() + 64);
  const std::string_view text = "the film is good .";
  void* place = room.data();
  size_t space = room.size();
  ASSERT_NE(std::align(64, file.size(), place, space), nullptr);
  std::memcpy(place, file.data(), file.size());
  espalier_classifier* model = nullptr;
  ASSERT_EQ(espalier_open_memory(place, file.size(), nullptr, &model), ESPALIER_OK) << espalier_error();
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(espalier_classify(model, text.data(), text.size(), nullptr, nullptr), ESPALIER_OK) << espalier_error();
  espalier_close(model);
  EXPECT_EQ(std::memcmp(place, file.data(), file.size()), 0);
}

class Runtime : public testing::TestWithParam<std::string> {};

// Real numbers are added in another order on other machines; integers then may fall on the other side of a half.
TEST_P(Runtime, AnswersAsTheFullLibraryDoes) {
  const double allowed = GetParam() == "f32" ? 2e-5 : 0.02;
  espalier_classifier* model = nullptr;
  ASSERT_EQ(espalier_open((golden + GetParam() + ".edge").c_str(), nullptr, &model), ESPALIER_OK) << espalier_error();
  ASSERT_EQ(espalier_label_count(model), 3U);
  EXPECT_STREQ(espalier_label_name(model, 2), "positive");
  EXPECT_STREQ(espalier_task(model), "classification");
  EXPECT_EQ(espalier_max_length(model), 40);
  std::ifstream texts(golden + "texts.txt"), expected(golden + GetParam() + ".txt");
  int lines = 0;
  for (std::string line; std::getline(texts, line); ++lines) {
    const size_t tab = line.find('\t');
    double scores[3] = {}, sum = 0;
    const int code = tab == std::string::npos ? espalier_classify(model, line.data(), line.size(), scores, nullptr)
                                              : espalier_classify_pair(model, line.data(), tab, line.data() + tab + 1,
                                                                       line.size() - tab - 1, scores, nullptr);
    ASSERT_EQ(code, ESPALIER_OK) << espalier_error();
    for (const double score : scores) {
      double wanted = -1;
      expected >> wanted;
      EXPECT_NEAR(score, wanted, allowed) << line;
      sum += score;
    }
    EXPECT_NEAR(sum, 1, 1e-9);
  }
  EXPECT_EQ(lines, 10);
  espalier_close(model);
}

TEST_P(Runtime, ABatchHasTheSameBits) {
  const std::string bytes = bytes_of(GetParam() + ".edge");
  const Opened opened(bytes);
  ASSERT_EQ(opened.code, ESPALIER_OK) << espalier_error();
  const char* const texts[] = {"the film is fun", "", "bad bad bad", "a very very very dull plot . not good !"};
  espalier_text batch[4];
  std::vector<double> one(12), many(12);
  for (int i = 0; i < 4; ++i) {
    batch[i] = {texts[i], std::strlen(texts[i]), nullptr, 0};
    EXPECT_EQ(espalier_classify(opened.model, texts[i], std::strlen(texts[i]), one.data() + 3 * i, nullptr),
              ESPALIER_OK);
  }
  EXPECT_EQ(espalier_classify_batch(opened.model, batch, 4, many.data(), nullptr), ESPALIER_OK);
  EXPECT_EQ(one, many);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Runtime, testing::Values("f32", "static", "blocks4"),
                         [](const auto& test) { return test.param; });

TEST(RuntimeTokens, AreShownWhole) {
  const std::string bytes = bytes_of("static.edge");
  const Opened opened(bytes);
  ASSERT_EQ(opened.code, ESPALIER_OK) << espalier_error();
  const std::string text = "Films";
  int32_t ids[8];
  size_t count = 0;
  ASSERT_EQ(espalier_tokens(opened.model, text.data(), text.size(), ids, 8, &count), ESPALIER_OK);
  std::string shown;
  for (size_t i = 0; i < count; ++i) shown += std::string(espalier_token_text(opened.model, ids[i])) + " ";
  EXPECT_EQ(shown, "[CLS] film ##s [SEP] ");
  std::string words;
  for (int i = 0; i < 10000; ++i) words += "film ";
  EXPECT_EQ(espalier_tokens(opened.model, words.data(), words.size(), ids, 8, &count), ESPALIER_OK);
  EXPECT_EQ(count, 10002U);
  EXPECT_EQ(espalier_classify(opened.model, words.data(), words.size(), nullptr, nullptr), ESPALIER_OK);
  EXPECT_EQ(espalier_token_text(opened.model, 100000), nullptr);
  EXPECT_EQ(espalier_set_threads(2), ESPALIER_MISTAKE);
  EXPECT_EQ(espalier_set_threads(1), ESPALIER_OK);
}

TEST(RuntimeFiles, ThatAreWrongAreNamed) {
  const std::string whole = bytes_of("blocks4.edge");
  expect_refused("", "has 0 bytes and is no edge file");
  expect_refused(std::string(100, 'x'), "is no edge file; expected a file that export --format edge has written");
  for (const size_t size : {size_t{64}, size_t{65}, whole.size() / 2, whole.size() - 1})
    expect_refused(whole.substr(0, size), "it is cut off");
  expect_refused(whole + "x", "it is longer than what was written");
  std::string newer = whole;
  newer[8] = 2;
  expect_refused(newer, "is an edge file of version 2; this program reads version 1: a newer one is needed");
  for (size_t at = 64; at < whole.size(); at += 997) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 16);
    expect_refused(flipped, "is damaged");
  }
  espalier_classifier* model = nullptr;
  EXPECT_EQ(espalier_open((golden + "texts.txt").c_str(), nullptr, &model), ESPALIER_MISTAKE);
  EXPECT_EQ(espalier_open((golden + "none.edge").c_str(), nullptr, &model), ESPALIER_MISTAKE);
  EXPECT_EQ(espalier_open(golden.c_str(), nullptr, &model), ESPALIER_MISTAKE);
  EXPECT_EQ(espalier_open_memory(nullptr, 0, nullptr, &model), ESPALIER_MISTAKE);
  espalier_options options = ESPALIER_OPTIONS;
  options.max_length = 41;
  EXPECT_EQ(espalier_open_memory(whole.data(), whole.size(), &options, &model), ESPALIER_MISTAKE);
  options = ESPALIER_OPTIONS;
  options.precision = ESPALIER_BF16;
  EXPECT_EQ(espalier_open_memory(whole.data(), whole.size(), &options, &model), ESPALIER_MISTAKE);
}

}  // namespace
