// SPDX-License-Identifier: Apache-2.0
#include "data/text/demo_corpus.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/check.h"
#include "data/text/demo_grammar.h"
#include "data/text/examples.h"
#include "data/text/tsv.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

std::set<std::string> words(const Dataset& data) {
  std::set<std::string> all;
  for (const Example& example : data.examples)
    for (const std::string& word : words(example.first)) all.insert(word);
  return all;
}

std::set<std::string> sentences(const Dataset& data) {
  std::set<std::string> all;
  for (const Example& example : data.examples) all.insert(example.first);
  return all;
}

TEST(DemoCorpus, IsBalancedAndFreeOfDuplicates) {
  for (const auto& [split, size] : {std::pair(Split::train, 12000), std::pair(Split::dev, 800)}) {
    const Dataset data = demo_corpus(split, 0);
    EXPECT_TRUE(data.labelled);
    EXPECT_FALSE(data.pairs);
    EXPECT_NE(data.path.string().find("synthetic"), std::string::npos);
    ASSERT_EQ(data.examples.size(), size);
    EXPECT_EQ(sentences(data).size(), size);
    EXPECT_EQ(std::count_if(data.examples.begin(), data.examples.end(), [](const Example& e) { return e.label == 1; }),
              size / 2);
    EXPECT_EQ(std::count_if(data.examples.begin(), data.examples.end(), [](const Example& e) { return e.label == 0; }),
              size / 2);
  }
}

// FNV-1a over all text and labels.
uint64_t digest(const Dataset& data) {
  uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&](int byte) { hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001b3; };
  for (const Example& example : data.examples) {
    for (const char c : example.first) add(static_cast<unsigned char>(c));
    add(example.label);
  }
  return hash;
}

// The corpus is part of what a reported run means: whoever changes the grammar changes these values knowingly.
TEST(DemoCorpus, IsTheSameOnEveryPlatform) {
  const Dataset train = demo_corpus(Split::train, 0);
  const Dataset dev = demo_corpus(Split::dev, 7);
  EXPECT_EQ(train.examples[0].first, "few will find it clumsy , even though most will find it ugly .");
  EXPECT_EQ(dev.examples[0].first, "a lazy movie ? hardly .");
  EXPECT_EQ(digest(train), 18445344341642296580U);
  EXPECT_EQ(digest(dev), 17881248289953233152U);
  EXPECT_NE(digest(demo_corpus(Split::dev, 8)), digest(dev));
}

TEST(DemoCorpus, SplitsNeverShareASentence) {
  const std::set<std::string> dev = sentences(demo_corpus(Split::dev, 0));
  for (const uint64_t seed : {0, 1}) {
    for (const Example& example : demo_corpus(Split::train, seed).examples)
      EXPECT_FALSE(dev.contains(example.first)) << example.first;
  }
}

TEST(DemoCorpus, PartOfDevsWordsAreUnseen) {
  const std::set<std::string> known = words(demo_corpus(Split::train, 0));
  std::set<std::string> unseen;
  int64_t sentences_with = 0;
  for (const Example& example : demo_corpus(Split::dev, 0).examples) {
    bool any = false;
    for (const std::string& word : words(example.first))
      if (!known.contains(word)) unseen.insert(word), any = true;
    sentences_with += any;
  }
  EXPECT_GE(unseen.size(), 50);
  EXPECT_GE(sentences_with, 800 * 15 / 100);
  EXPECT_LE(sentences_with, 800 * 35 / 100);
}

TEST(DemoCorpus, TextReadsAsSst2Does) {
  for (const Split split : {Split::train, Split::dev}) {
    std::set<size_t> lengths;
    for (const Example& example : demo_corpus(split, 3).examples) {
      const std::string& text = example.first;
      ASSERT_FALSE(text.empty());
      for (const char c : text)
        ASSERT_TRUE(std::islower(c) || std::string(" ,.:;?'").find(c) != std::string::npos) << text;
      const auto tokens = words(text);
      lengths.insert(tokens.size());
      for (size_t i = 1; i < tokens.size(); ++i) {
        const bool vowel = std::string("aeiou").find(tokens[i][0]) != std::string::npos;
        EXPECT_FALSE(tokens[i - 1] == (vowel ? "a" : "an")) << text;
      }
    }
    EXPECT_GE(lengths.size(), 15) << "short and long ones";
  }
}

// Naive Bayes knows how often each word stands in good and in bad reviews, and nothing of their order.
TEST(DemoCorpus, SingleWordsDecideOnlyPartOfIt) {
  std::map<std::string, std::array<double, 2>> counts;
  std::array<double, 2> totals{};
  for (const Example& example : demo_corpus(Split::train, 0).examples)
    for (const std::string& word : words(example.first)) {
      counts[word][example.label] += 1;
      totals[example.label] += 1;
    }
  int64_t right = 0;
  for (const Example& example : demo_corpus(Split::dev, 0).examples) {
    double good = 0;
    for (const std::string& word : words(example.first)) {
      const auto at = counts.find(word);
      if (at != counts.end())
        good += std::log((at->second[1] + 1) / totals[1]) - std::log((at->second[0] + 1) / totals[0]);
    }
    right += (good > 0) == (example.label == 1);
  }
  EXPECT_GT(right, 800 * 60 / 100) << "words must tell something";
  EXPECT_LT(right, 800 * 80 / 100) << "words must not tell everything";
}

TEST(DemoCorpus, SentimentFollowsTheGrammar) {
  std::map<std::string, int32_t> labels;
  for (uint64_t seed = 0; seed < 20; ++seed)
    for (const Example& example : demo_corpus(Split::dev, seed).examples) {
      const auto [at, added] = labels.emplace(example.first, example.label);
      EXPECT_EQ(at->second, example.label) << "both good and bad: " << example.first;
    }
}

TEST(DemoCorpus, GrammarNamesOnlyItsOwnSymbols) {
  std::set<std::string_view> names, used = {demo_grammar().front().name};
  for (const GrammarSymbol& symbol : demo_grammar()) {
    EXPECT_TRUE(names.insert(symbol.name).second) << symbol.name << " twice";
    for (const auto* list : {&symbol.good, &symbol.bad})
      EXPECT_TRUE(std::any_of(symbol.either.begin(), symbol.either.end(), [](auto a) { return !a.starts_with('*'); }) ||
                  std::any_of(list->begin(), list->end(), [](auto a) { return !a.starts_with('*'); }))
          << symbol.name << " has nothing to say in training";
  }
  for (const GrammarSymbol& symbol : demo_grammar())
    for (const auto* list : {&symbol.either, &symbol.good, &symbol.bad})
      for (std::string_view rest : *list)
        while (rest.find('{') != std::string_view::npos) {
          rest.remove_prefix(rest.find('{') + 1);
          ASSERT_NE(rest.find('}'), std::string_view::npos) << rest;
          std::string_view name = rest.substr(0, rest.find('}'));
          const bool has_sentiment = name.ends_with('+') || name.ends_with('-');
          if (has_sentiment) name.remove_suffix(1);
          ASSERT_TRUE(names.contains(name)) << name;
          used.insert(name);
          // A symbol named without a sign must not depend on the sentiment.
          const auto at =
              std::find_if(demo_grammar().begin(), demo_grammar().end(), [&](const auto& s) { return s.name == name; });
          EXPECT_TRUE(has_sentiment || (at->good.empty() && at->bad.empty())) << name;
        }
  EXPECT_EQ(names, used) << "every symbol is used";
}

TEST(DemoCorpus, IsWrittenAsTsv) {
  const fs::path folder = fs::path(testing::TempDir()) / ("espalier_demo_" + std::to_string(::getpid()));
  write_demo_corpus(folder / "below", 5);
  for (const auto& [name, split] : {std::pair("train.tsv", Split::train), std::pair("dev.tsv", Split::dev)}) {
    const Dataset read = read_dataset(folder / "below" / name);
    const Dataset made = demo_corpus(split, 5);
    ASSERT_EQ(read.examples.size(), made.examples.size());
    for (size_t i = 0; i < read.examples.size(); ++i) {
      EXPECT_EQ(read.examples[i].first, made.examples[i].first);
      EXPECT_EQ(read.examples[i].label, made.examples[i].label);
    }
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "below"), {}), 3) << "and labels.txt";
  EXPECT_THROW(write_demo_corpus(folder / "below" / "dev.tsv", 5), Error) << "a file is no folder";
  fs::remove_all(folder);
}

TEST(DemoVocabulary, StartsWithTheSpecialsAndHasNoDuplicates) {
  const std::vector<std::string> vocabulary = demo_vocabulary();
  ASSERT_GT(vocabulary.size(), 400);
  EXPECT_EQ(std::vector<std::string>(vocabulary.begin(), vocabulary.begin() + 5),
            (std::vector<std::string>{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}));
  EXPECT_EQ(std::set<std::string>(vocabulary.begin(), vocabulary.end()).size(), vocabulary.size());
}

TEST(DemoVocabulary, HoldsEveryTrainingWordAndSpellsTheOthers) {
  const std::vector<std::string> list = demo_vocabulary();
  const std::set<std::string> vocabulary(list.begin(), list.end());
  const std::set<std::string> known = words(demo_corpus(Split::train, 0));
  for (const std::string& word : known) {
    if (word == "'s") continue;  // the tokenizer cuts at punctuation: ' and s
    EXPECT_TRUE(vocabulary.contains(word)) << word;
  }
  for (const char c : std::string("abcdefghijklmnopqrstuvwxyz0123456789")) {
    EXPECT_TRUE(vocabulary.contains(std::string(1, c)));
    EXPECT_TRUE(vocabulary.contains(std::string("##") + c));
  }
  int64_t spelled = 0;
  for (const std::string& word : words(demo_corpus(Split::dev, 0)))
    if (!known.contains(word)) {
      EXPECT_FALSE(vocabulary.contains(word)) << word << " is held out of training";
      ++spelled;
    }
  EXPECT_GE(spelled, 50);
}

}  // namespace
}  // namespace espalier
