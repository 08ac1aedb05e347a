// SPDX-License-Identifier: Apache-2.0
// The stream of masked sequences: what is packed, what is masked, and that neither threads, windows nor stops change
// it.
#include "data/corpus/corpus_stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/check.h"
#include "core/parallel.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

constexpr int words = 200;

// [PAD] [UNK] [CLS] [SEP] [MASK], then w0, w1, …, and ##s, which continues a word.
Tokenizer tokenizer() {
  std::vector<std::string> vocabulary = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "##s"};
  for (int i = 0; i < words; ++i) vocabulary.push_back("w" + std::to_string(i));
  return {vocabulary, {}};
}

class CorpusTest : public testing::Test {
 protected:
  CorpusTest() {
    // 60 documents of 1 to 5 lines of 3 to 12 words; each word says which line it is of.
    std::string text;
    int line = 0;
    for (int d = 0; d < 60; ++d) {
      for (int l = 0; l <= d % 5; ++l, ++line) {
        for (int w = 0; w < 3 + line % 10; ++w)
          text += (w > 0 ? " w" : "w") + std::to_string((line * 7 + w) % words) + (w % 3 == 2 ? "s" : "");
        text += '\n';
      }
      text += '\n';
    }
    write_bytes(folder_ / "a.txt", text.substr(0, text.find("\n\n", text.size() / 2) + 2));
    write_bytes(folder_ / "b.txt", text.substr(text.find("\n\n", text.size() / 2) + 2));
  }

  Corpus corpus() const { return {{folder_ / "a.txt", folder_ / "b.txt"}, {}, options_.longest_document()}; }
  CorpusStream stream(const Corpus& c) const { return {c, none_, CorpusStream::Part::training, tokenizer_, options_}; }
  TokenizedDataset pass() const {
    const Corpus c = corpus();
    TokenizedDataset data;
    stream(c).append_pass(data);
    return data;
  }
  // The sequences as they were before masking, as texts of ids.
  static std::vector<std::string> texts(const TokenizedDataset& data) {
    std::vector<std::string> all;
    for (int64_t i = 0; i < data.sentences(); ++i) {
      std::string& text = all.emplace_back();
      for (int64_t t = data.offsets[i]; t < data.offsets[i + 1]; ++t)
        text += std::to_string(data.labels[t] >= 0 ? data.labels[t] : data.ids[t]) + " ";
    }
    return all;
  }

  TemporaryFolder folder_;
  Tokenizer tokenizer_ = tokenizer();
  HeldOut none_;
  StreamOptions options_ = {.sequences = {.max_length = 32}, .seed = 3};
};

bool same(const TokenizedDataset& a, const TokenizedDataset& b) {
  return a.ids == b.ids && a.labels == b.labels && a.offsets == b.offsets && a.first_lengths == b.first_lengths &&
         a.values == b.values;
}

TEST_F(CorpusTest, SeedAndPassDecideAndThreadsDoNot) {
  const Corpus c = corpus();
  EXPECT_EQ(c.documents(), 60);
  TokenizedDataset first;
  CorpusStream one = stream(c);
  one.append_pass(first);
  for (const int count : {1, 3}) {
    set_threads(count);
    EXPECT_TRUE(same(pass(), first)) << count;
  }
  set_threads(0);
  TokenizedDataset second;
  one.append(1, second);
  EXPECT_EQ(one.pass(), 1);
  one.append_pass(second);
  EXPECT_NE(texts(second), texts(first));
  options_.seed = 4;
  EXPECT_FALSE(same(pass(), first));
}

TEST_F(CorpusTest, SequencesFitAndPairsAreAsOftenDrawnAsNot) {
  options_.sequences.short_sequences = 0;
  const TokenizedDataset data = pass();
  int drawn = 0, follow = 0;
  for (int64_t i = 0; i < data.sentences(); ++i) {
    ASSERT_LE(data.length(i), 32);
    const auto at = [&](int64_t t) { return data.ids[data.offsets[i] + t]; };
    EXPECT_EQ(at(0), tokenizer_.cls());
    EXPECT_EQ(at(data.first_lengths[i] - 1), tokenizer_.sep());
    EXPECT_EQ(at(data.length(i) - 1), tokenizer_.sep());
    EXPECT_GT(data.length(i), data.first_lengths[i] + 1);
    (data.values[i] == 1 ? drawn : follow) += 1;
  }
  EXPECT_GT(drawn, 20);
  EXPECT_GT(follow, 15);
}

// Where nothing is drawn, each text is there once, whole, whatever the window is.
TEST_F(CorpusTest, FullSequencesDoNotDependOnTheWindow) {
  options_.sequences.pairs = false;
  options_.shuffle = false;
  const TokenizedDataset whole = pass();
  std::vector<int32_t> ids;
  for (int64_t t = 0; t < whole.tokens(); ++t)
    if (const int32_t id = whole.labels[t] >= 0 ? whole.labels[t] : whole.ids[t]; id != 2 && id != 3) ids.push_back(id);
  std::vector<int32_t> all;
  for (const char* name : {"a.txt", "b.txt"}) {
    const auto of_file = tokenizer_.encode(read_bytes(folder_ / name), 1 << 20).ids;
    all.insert(all.end(), of_file.begin() + 1, of_file.end() - 1);
  }
  EXPECT_EQ(ids, all);
  options_.window = 2048;
  EXPECT_TRUE(same(pass(), whole));
  options_.shuffle = true;
  auto shuffled = texts(pass()), in_order = texts(whole);
  EXPECT_NE(shuffled, in_order);
  std::ranges::sort(shuffled);
  std::ranges::sort(in_order);
  EXPECT_EQ(shuffled, in_order);
}

TEST_F(CorpusTest, MasksAreTheirShareAndNeverSpecial) {
  for (const bool whole_words : {false, true}) {
    options_.masks = {.share = 0.15, .whole_words = whole_words};
    const Corpus c = corpus();
    CorpusStream s = stream(c);
    TokenizedDataset data;
    s.append(4000, data);
    int64_t chosen = 0, mask = 0, kept = 0;
    for (int64_t i = 0; i < data.sentences(); ++i) {
      int64_t here = 0;
      for (int64_t t = data.offsets[i]; t < data.offsets[i + 1]; ++t) {
        const int32_t label = data.labels[t], id = data.ids[t];
        if (label < 0) continue;
        ++here;
        ASSERT_GT(label, 4);
        ASSERT_TRUE(id == 4 || id > 4);
        mask += id == 4 ? 1 : 0;
        kept += id == label ? 1 : 0;
        if (whole_words && label == 5 && (data.labels[t - 1] >= 0 || data.ids[t - 1] > 4)) {
          ASSERT_GE(data.labels[t - 1], 0) << "the beginning of the word";
        }
      }
      ASSERT_GE(here, 1);
      ASSERT_LE(here, std::max<int64_t>(whole_words ? 2 : 1, std::lround(0.15 * static_cast<double>(data.length(i)))));
      chosen += here;
    }
    const auto share = [](int64_t a, int64_t b) { return static_cast<double>(a) / static_cast<double>(b); };
    EXPECT_NEAR(share(chosen, data.tokens()), 0.15, 0.01) << whole_words;
    EXPECT_NEAR(share(mask, chosen), 0.8, 0.015);
    EXPECT_NEAR(share(kept, chosen), 0.1, 0.015);
  }
}

TEST_F(CorpusTest, GoesOnFromAnyPlace) {
  options_.window = 700;  // a pass crosses windows
  const Corpus c = corpus();
  CorpusStream whole = stream(c);
  const int64_t count = whole.count(1 << 20), before = count + 5;
  for (int64_t stop = 0; stop < 2 * count; stop += 7) {
    CorpusStream one = stream(c), other = stream(c);
    TokenizedDataset skipped, expected, got;
    one.append(stop, skipped);
    one.append(before, expected);
    CorpusStream again = stream(c);
    TokenizedDataset some;
    again.append(stop, some);
    other.go_to(again.position(), "state");
    other.append(before, got);
    ASSERT_TRUE(same(expected, got)) << stop;
  }
  expect_in(error_of<Error>([&] { whole.go_to({{"pass", 0}, {"document", 99}}, "m.state.h5"); }), "m.state.h5: stands");
}

TEST_F(CorpusTest, HeldOutDocumentsAreNotTrainedOn) {
  options_.sequences.pairs = false;
  const Corpus c = corpus();
  const HeldOut held_out(0.1, 7, c.documents());
  TokenizedDataset train, dev;
  CorpusStream(c, held_out, CorpusStream::Part::training, tokenizer_, options_).append_pass(train);
  CorpusStream(c, held_out, CorpusStream::Part::held_out, tokenizer_, options_).append_pass(dev);
  EXPECT_EQ(train.sentences() + dev.sentences(), pass().sentences());
  int64_t taken = 0;
  for (int64_t d = 0; d < 60; ++d) taken += held_out.takes(d) ? 1 : 0;
  EXPECT_EQ(taken, 6);
  int64_t least = 0;
  for (int64_t d = 0; d < 60; ++d) least += HeldOut(0.001, 1, 60).takes(d) ? 1 : 0;
  EXPECT_EQ(least, 1);
  expect_in(error_of<Error>([] { HeldOut(0.1, 0, 1); }), "has one document");
}

TEST_F(CorpusTest, RowsOfTablesAreDocuments) {
  write_bytes(folder_ / "t.tsv", "sentence\tlabel\nw1 w2\t0\nw3\t1\n \t0\n");
  write_bytes(folder_ / "p.csv", "question,passage\nw1,w2 w3\n");
  EXPECT_EQ(Corpus({folder_ / "t.tsv"}, {}, 1000).documents(), 2);
  const Corpus pairs({folder_ / "p.csv"}, {}, 1000);
  EXPECT_TRUE(pairs.has_neighbours());
}

TEST_F(CorpusTest, BadFilesAreNamed) {
  const auto refused = [&](const std::string& bytes) {
    write_bytes(folder_ / "bad.txt", bytes);
    return error_of<Error>([&] { Corpus({folder_ / "bad.txt"}, {}, 1000); });
  };
  expect_in(refused(""), "bad.txt: holds no text; expected a sentence or paragraph a line");
  expect_in(refused("\n \n\n"), "holds no text");
  expect_in(refused("good\ncaf\xe9\n"), "bad.txt:2: is not UTF-8");
  expect_in(refused("\xff\xfeg"), "bad.txt:1: begins as UTF-16");
  const Corpus c = corpus();
  write_bytes(folder_ / "a.txt", "w1\n");
  CorpusStream s = stream(c);
  TokenizedDataset data;
  expect_in(error_of<Error>([&] { s.append(1000, data); }), "has changed since it was first read");
}

// A line of 10 MB is cut into parts that fit; nothing of it is lost.
TEST_F(CorpusTest, ALongLineIsCut) {
  std::string line;
  while (line.size() < 10'000'000) line += "w" + std::to_string(line.size() % words) + " ";
  write_bytes(folder_ / "long.txt", line + "\n");
  options_.sequences = {.max_length = 128, .pairs = false};
  const Corpus c({folder_ / "long.txt"}, {}, options_.longest_document());
  CorpusStream s = stream(c);
  TokenizedDataset data;
  s.append_pass(data);
  EXPECT_EQ(data.tokens() - 2 * data.sentences(), std::ranges::count(line, ' '));
  write_bytes(folder_ / "longer.txt", std::string(size_t{65} << 20, 'a'));
  expect_in(error_of<Error>([&] { Corpus({folder_ / "longer.txt"}, {}, 1000); }), "longer.txt:1: is longer than");
}

TEST(Masking, NeedsAMaskToken) {
  const Tokenizer without({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"}, {});
  expect_in(error_of<Error>([&] { Masking(without, {}, 0); }), "has no [MASK]");
}

}  // namespace
}  // namespace espalier
