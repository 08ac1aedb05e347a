// SPDX-License-Identifier: Apache-2.0
#include "data/text/loader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <limits>
#include <set>
#include <sstream>
#include <string>

#include "core/check.h"
#include "core/parallel.h"

namespace espalier {
namespace {

// One id per character, between 1 and 2 as [CLS] and [SEP]; a second sentence and its 2 are segment 1.
void spell(const Example& example, std::vector<int32_t>& ids, std::vector<int32_t>& segments) {
  ids.push_back(1);
  for (const char c : example.first) ids.push_back(c);
  ids.push_back(2);
  segments.assign(ids.size(), 0);
  if (example.second.empty()) return;
  for (const char c : example.second) ids.push_back(c);
  ids.push_back(2);
  segments.resize(ids.size(), 1);
}

// `count` sentences of 0 to 4 characters; row i has label i % 2 and row 0 a second sentence.
Dataset sentences(int64_t count) {
  Dataset data{{}, {}, true, true};
  for (int64_t i = 0; i < count; ++i)
    data.examples.push_back(
        {std::string(i * 7 % 5, static_cast<char>('a' + i % 26)), i == 0 ? "xy" : "", static_cast<int32_t>(i % 2)});
  return data;
}

std::vector<int64_t> rows_of(const Epoch& epoch, int64_t batches) {
  std::vector<int64_t> rows;
  for (int64_t i = 0; i < batches; ++i) {
    const PackedBatch batch = epoch.batch(i);
    rows.insert(rows.end(), batch.rows.begin(), batch.rows.end());
  }
  return rows;
}

std::vector<int64_t> iota(int64_t count) {
  std::vector<int64_t> rows(count);
  for (int64_t i = 0; i < count; ++i) rows[i] = i;
  return rows;
}

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "no error";
}

TEST(TokenizeDataset, LaysSentencesEndToEnd) {
  const Dataset data{{}, {{"ab", "c", 1}, {"", "", 0}, {"d", "", 1}}, true, true};
  const TokenizedDataset tokens = tokenize_dataset(data, spell);
  EXPECT_EQ(tokens.ids, (std::vector<int32_t>{1, 'a', 'b', 2, 'c', 2, 1, 2, 1, 'd', 2}));
  EXPECT_EQ(tokens.offsets, (std::vector<int64_t>{0, 6, 8, 11}));
  EXPECT_EQ(tokens.first_lengths, (std::vector<int32_t>{4, 2, 3}));
  EXPECT_EQ(tokens.labels, (std::vector<int32_t>{1, 0, 1}));
  EXPECT_EQ(tokens.sentences(), 3);
  EXPECT_EQ(tokens.tokens(), 11);
  EXPECT_EQ(tokens.length(2), 3);
}

TEST(TokenizeDataset, UnlabelledTextHasNoLabels) {
  const TokenizedDataset tokens = tokenize_dataset({{}, {{"a", "", -1}}, false, false}, spell);
  EXPECT_TRUE(tokens.labels.empty());
  const Loader loader(tokens, {});
  EXPECT_TRUE(loader.epoch(0).batch(0).labels.empty());
}

TEST(TokenizeDataset, IsTheSameWithAnyNumberOfThreads) {
  const Dataset data = sentences(2000);
  std::vector<int32_t> ids;
  std::vector<int64_t> offsets = {0};
  for (const Example& example : data.examples) {
    std::vector<int32_t> one, segments;
    spell(example, one, segments);
    ids.insert(ids.end(), one.begin(), one.end());
    offsets.push_back(static_cast<int64_t>(ids.size()));
  }
  for (const int count : {1, 2, 5}) {
    set_threads(count);
    const TokenizedDataset tokens = tokenize_dataset(data, spell);
    EXPECT_EQ(tokens.ids, ids) << count << " threads";
    EXPECT_EQ(tokens.offsets, offsets);
    EXPECT_EQ(tokens.sentences(), 2000);
  }
  set_threads(0);
}

TEST(TokenizeDataset, RefusesBrokenTokenizers) {
  const auto with = [](std::vector<int32_t> ids, std::vector<int32_t> segments) {
    Dataset data = sentences(300);
    data.examples[299].first = "last";
    return error_of([=] {
      tokenize_dataset(data, [&](const Example& example, std::vector<int32_t>& i, std::vector<int32_t>& s) {
        spell(example, i, s);
        if (example.first == "last") i = ids, s = segments;
      });
    });
  };
  EXPECT_EQ(with({1, 2}, {0, 1}), "no error");
  EXPECT_EQ(with({}, {}), "tokenize_dataset: example 299 has no tokens; expected at least one");
  EXPECT_EQ(with({1, 2}, {0}), "tokenize_dataset: example 299 has 2 ids and 1 segments; expected as many");
  const std::string order = "tokenize_dataset: the segments of example 299 are not 0s, then 1s";
  EXPECT_EQ(with({1, 2, 3}, {0, 1, 0}), order);
  EXPECT_EQ(with({1, 2}, {0, 2}), order);
}

TEST(Pack, KeepsRowsInTheGivenOrder) {
  const Dataset data{{}, {{"ab", "c", 1}, {"", "", 0}, {"d", "", 1}}, true, true};
  const TokenizedDataset tokens = tokenize_dataset(data, spell);
  const PackedBatch batch = pack(tokens, std::array<int64_t, 3>{2, 0, 2});
  EXPECT_EQ(batch.ids, (std::vector<int32_t>{1, 'd', 2, 1, 'a', 'b', 2, 'c', 2, 1, 'd', 2}));
  EXPECT_EQ(batch.segments, (std::vector<int32_t>{0, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0}));
  EXPECT_EQ(batch.offsets, (std::vector<int32_t>{0, 3, 9, 12}));
  EXPECT_EQ(batch.labels, (std::vector<int32_t>{1, 1, 1}));
  EXPECT_EQ(batch.rows, (std::vector<int64_t>{2, 0, 2}));
  EXPECT_EQ(error_of([&] { pack(tokens, std::array<int64_t, 1>{3}); }), "pack: row 3 of 3 sentences");
  EXPECT_EQ(error_of([&] { pack(tokens, std::array<int64_t, 1>{-1}); }), "pack: row -1 of 3 sentences");
}

TEST(Pack, KeepsTheNumbersOfLabels) {
  const Dataset data{{}, {{"a", "", 0, {0.5F, 1}}, {"b", "", 0, {2, 3}}}, false, true};
  TokenizedDataset tokens = tokenize_dataset(data, spell);
  EXPECT_EQ(tokens.values, (std::vector<float>{0.5F, 1, 2, 3}));
  append(tokens, tokenize_dataset({{}, {{"c", "", -1}}, false, false}, spell));
  const PackedBatch batch = pack(tokens, std::array<int64_t, 3>{1, 2, 0});
  EXPECT_EQ(batch.values, (std::vector<float>{2, 3, 0, 0, 0.5F, 1}));
  EXPECT_EQ(batch.labels, (std::vector<int32_t>{0, -1, 0}));
  EXPECT_EQ(batch.labelled(), 2);
  EXPECT_EQ(error_of([] {
              tokenize_dataset({{}, {{"a", "", 0, {1}}, {"b", "", 0, {2, 3}}}, false, true}, spell);
            }),
            "tokenize_dataset: example 1 has 2 numbers as its label, the first one 1; expected as many");
}

TEST(Pack, RefusesMoreTokensThanABatchCanCount) {
  TokenizedDataset huge;  // two sentences that claim 2^30 tokens each; refused before any is copied
  huge.first_lengths = {1 << 30, 1 << 30};
  huge.offsets = {0, int64_t{1} << 30, int64_t{1} << 31};
  EXPECT_EQ(error_of([&] {
              pack(huge, std::array<int64_t, 2>{0, 1});
            }),
            "pack: a batch of 2 sentences has more than 2^31 - 1 tokens; choose a smaller batch size");
}

TEST(Loader, ShufflesAsTheGoldenOrders) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(23), spell);
  std::ifstream golden(std::string(ESPALIER_TESTS_DIR) + "/golden/loader_order.txt");
  int64_t orders = 0;
  for (std::string line; std::getline(golden, line); ++orders) {
    std::istringstream words(line);
    uint64_t seed = 0;
    int64_t epoch = 0;
    char colon = 0;
    words >> seed >> epoch >> colon;
    std::vector<int64_t> expected;
    for (int64_t row = 0; words >> row;) expected.push_back(row);
    ASSERT_EQ(expected.size(), 23);
    const Loader loader(tokens, {.batch_size = 4, .seed = seed});
    EXPECT_EQ(rows_of(loader.epoch(epoch), 6), expected) << line;
  }
  EXPECT_EQ(orders, 5);
}

TEST(Loader, GivesEverySentenceOnceAnEpoch) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(103), spell);
  for (const Order order : {Order::shuffled, Order::file, Order::longest_first}) {
    const Loader loader(tokens, {.batch_size = 10, .order = order, .seed = 3});
    ASSERT_EQ(loader.batches(), 11);
    EXPECT_EQ(loader.epoch(0).batch(9).sentences(), 10);
    EXPECT_EQ(loader.epoch(0).batch(10).sentences(), 3);
    for (int64_t number = 0; number < 3; ++number) {
      const Epoch epoch = loader.epoch(number);
      std::vector<int64_t> rows = rows_of(epoch, 11);
      EXPECT_EQ(rows, epoch.order());
      std::sort(rows.begin(), rows.end());
      EXPECT_EQ(rows, iota(103));
    }
  }
}

TEST(Loader, OrderDependsOnSeedAndEpochAlone) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(50), spell);
  std::set<std::vector<int64_t>> orders;
  for (const uint64_t seed : {0, 1, 2})
    for (int64_t epoch = 0; epoch < 3; ++epoch) orders.insert(Loader(tokens, {.seed = seed}).epoch(epoch).order());
  EXPECT_EQ(orders.size(), 9) << "each seed and epoch has its own";
  EXPECT_EQ(Loader(tokens, {.batch_size = 3, .accumulate = 2, .seed = 1}).epoch(2).order(),
            Loader(tokens, {.batch_size = 32, .seed = 1}).epoch(2).order());
}

TEST(Loader, FileOrderIsTheFilesInEveryEpoch) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(50), spell);
  const Loader loader(tokens, {.order = Order::file, .seed = 9});
  EXPECT_EQ(loader.epoch(0).order(), iota(50));
  EXPECT_EQ(loader.epoch(5).order(), iota(50));
}

TEST(Loader, LongestFirstKeepsFileOrderAmongEquals) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(200), spell);
  const std::vector<int64_t> order = Loader(tokens, {.order = Order::longest_first}).epoch(0).order();
  for (size_t i = 1; i < order.size(); ++i) {
    const int64_t before = tokens.length(order[i - 1]), here = tokens.length(order[i]);
    EXPECT_TRUE(before > here || (before == here && order[i - 1] < order[i])) << "place " << i;
  }
}

TEST(Loader, AWindowIsTheLargeBatchInPieces) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(53), spell);
  const Epoch large = Loader(tokens, {.batch_size = 12, .seed = 4}).epoch(1);
  const Loader loader(tokens, {.batch_size = 4, .accumulate = 3, .seed = 4});
  ASSERT_EQ(loader.batches(), 14);
  ASSERT_EQ(loader.windows(), 5);
  for (int64_t i = 0; i < 5; ++i) {
    const Window window = loader.epoch(1).window(i);
    const PackedBatch whole = large.batch(i);
    std::vector<int64_t> rows;
    std::vector<int32_t> ids, labels;
    for (const PackedBatch& batch : window.batches) {
      rows.insert(rows.end(), batch.rows.begin(), batch.rows.end());
      ids.insert(ids.end(), batch.ids.begin(), batch.ids.end());
      labels.insert(labels.end(), batch.labels.begin(), batch.labels.end());
    }
    EXPECT_EQ(rows, whole.rows);
    EXPECT_EQ(ids, whole.ids);
    EXPECT_EQ(labels, whole.labels);
    EXPECT_EQ(window.sentences, whole.sentences());
    EXPECT_EQ(window.tokens, whole.tokens());
  }
  const Window last = loader.epoch(1).window(4);  // 53 = 4 * 12 + 4 + 1
  ASSERT_EQ(last.batches.size(), 2);
  EXPECT_EQ(last.batches[0].sentences(), 4);
  EXPECT_EQ(last.batches[1].sentences(), 1);
  EXPECT_EQ(last.sentences, 5);
}

TEST(Loader, AResumedRunContinuesWhereItStood) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(53), spell);
  const LoaderOptions options{.batch_size = 4, .accumulate = 3, .seed = 11};
  const auto run = [&](const Loader& loader, Position at, int64_t steps) {
    std::vector<std::vector<int64_t>> seen;
    for (; steps > 0; --steps) {
      for (const PackedBatch& batch : loader.epoch(at.epoch).window(at.window).batches) seen.push_back(batch.rows);
      if (++at.window == loader.windows()) at = {at.epoch + 1, 0};
    }
    return std::pair(seen, at);
  };
  const auto [whole, end] = run(Loader(tokens, options), {}, 12);
  EXPECT_EQ(end.epoch, 2);
  EXPECT_EQ(end.window, 2);
  for (int64_t stop = 0; stop <= 12; ++stop) {
    auto [seen, at] = run(Loader(tokens, options), {}, stop);
    const auto rest = run(Loader(tokens, options), at, 12 - stop).first;  // a new loader knows nothing but the position
    seen.insert(seen.end(), rest.begin(), rest.end());
    EXPECT_EQ(seen, whole) << "stopped after " << stop;
  }
}

TEST(Loader, RefusesBadOptionsAndIndices) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(5), spell);
  EXPECT_EQ(error_of([&] { Loader(tokens, {.batch_size = 0}); }), "batch size 0; expected at least 1 sentence");
  EXPECT_EQ(error_of([&] { Loader(tokens, {.accumulate = -1}); }), "accumulate -1; expected at least 1 batch per step");
  const TokenizedDataset none;
  EXPECT_EQ(error_of([&] { Loader(none, {}); }), "the dataset holds no sentences; expected at least one");
  const Epoch epoch = Loader(tokens, {.batch_size = 2, .accumulate = 2}).epoch(0);
  EXPECT_EQ(error_of([&] { epoch.batch(3); }), "batch 3 of an epoch with 3");
  EXPECT_EQ(error_of([&] { epoch.window(2); }), "window 2 of an epoch with 2");
  EXPECT_EQ(error_of([&] { epoch.window(-1); }), "window -1 of an epoch with 2");
}

TEST(Loader, TakesABatchAsLargeAsItLikes) {
  const TokenizedDataset tokens = tokenize_dataset(sentences(5), spell);
  constexpr int64_t most = std::numeric_limits<int64_t>::max();
  const Loader loader(tokens, {.batch_size = most, .accumulate = most});
  EXPECT_EQ(loader.windows(), 1);
  EXPECT_EQ(loader.epoch(0).window(0).sentences, 5);
}

}  // namespace
}  // namespace espalier
