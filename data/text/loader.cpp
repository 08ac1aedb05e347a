// SPDX-License-Identifier: Apache-2.0
#include "data/text/loader.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/parallel.h"
#include "data/text/splitmix.h"

namespace espalier {
namespace {

constexpr int64_t piece_rows = 256;  // examples that one task tokenizes

int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0); }

// Appends `examples` to `piece`. `row` is the index of the first one, for messages.
void tokenize_rows(std::span<const Example> examples, int64_t row, const Tokenize& tokenize, TokenizedDataset& piece) {
  std::vector<int32_t> ids, segments;
  for (const Example& example : examples) {
    ids.clear();
    segments.clear();
    tokenize(example, ids, segments);
    CHECK(!ids.empty(), "tokenize_dataset: example ", row, " has no tokens; expected at least one");
    CHECK(segments.size() == ids.size(), "tokenize_dataset: example ", row, " has ", ids.size(), " ids and ",
          segments.size(), " segments; expected as many");
    const auto second = std::find(segments.begin(), segments.end(), 1);
    CHECK(std::all_of(segments.begin(), second, [](int32_t s) { return s == 0; }) &&
              std::all_of(second, segments.end(), [](int32_t s) { return s == 1; }),
          "tokenize_dataset: the segments of example ", row, " are not 0s, then 1s");
    piece.ids.insert(piece.ids.end(), ids.begin(), ids.end());
    piece.first_lengths.push_back(static_cast<int32_t>(second - segments.begin()));
    piece.offsets.push_back(piece.tokens());
    ++row;
  }
}

}  // namespace

TokenizedDataset tokenize_dataset(const Dataset& dataset, const Tokenize& tokenize) {
  const std::span<const Example> examples(dataset.examples);
  const auto count = static_cast<int64_t>(examples.size());
  std::vector<TokenizedDataset> pieces(ceil_div(count, piece_rows));
  parallel_for(static_cast<int64_t>(pieces.size()), [&](int64_t i) {
    const int64_t begin = i * piece_rows;
    tokenize_rows(examples.subspan(begin, std::min(piece_rows, count - begin)), begin, tokenize, pieces[i]);
  });

  TokenizedDataset data;
  data.ids.reserve(std::accumulate(pieces.begin(), pieces.end(), int64_t{0},
                                   [](int64_t sum, const TokenizedDataset& piece) { return sum + piece.tokens(); }));
  data.first_lengths.reserve(count);
  data.offsets.reserve(count + 1);
  for (const TokenizedDataset& piece : pieces) append(data, piece);
  if (dataset.labelled)
    for (const Example& example : examples) {
      data.labels.push_back(example.label);
      data.values.insert(data.values.end(), example.values.begin(), example.values.end());
      CHECK(example.values.size() == examples.front().values.size(), "tokenize_dataset: example ",
            data.labels.size() - 1, " has ", example.values.size(), " numbers as its label, the first one ",
            examples.front().values.size(), "; expected as many");
    }
  return data;
}

void append(TokenizedDataset& data, const TokenizedDataset& more) {
  if (!data.labels.empty() || !more.labels.empty()) {
    data.labels.resize(static_cast<size_t>(data.sentences()), -1);
    data.labels.insert(data.labels.end(), more.labels.begin(), more.labels.end());
    data.labels.resize(static_cast<size_t>(data.sentences() + more.sentences()), -1);
  }
  if (const int64_t width = std::max(data.values_per_sentence(), more.values_per_sentence()); width > 0) {
    data.values.resize(static_cast<size_t>(data.sentences() * width));
    data.values.insert(data.values.end(), more.values.begin(), more.values.end());
    data.values.resize(static_cast<size_t>((data.sentences() + more.sentences()) * width));
  }
  const int64_t start = data.tokens();
  for (int64_t i = 0; i < more.sentences(); ++i) data.offsets.push_back(start + more.offsets[i + 1]);
  data.ids.insert(data.ids.end(), more.ids.begin(), more.ids.end());
  data.first_lengths.insert(data.first_lengths.end(), more.first_lengths.begin(), more.first_lengths.end());
}

PackedBatch pack(const TokenizedDataset& data, std::span<const int64_t> rows) {
  PackedBatch batch;
  batch.rows.assign(rows.begin(), rows.end());
  batch.offsets.push_back(0);
  int64_t tokens = 0;
  const int64_t width = data.values_per_sentence();
  for (const int64_t row : rows) {
    CHECK(row >= 0 && row < data.sentences(), "pack: row ", row, " of ", data.sentences(), " sentences");
    tokens += data.length(row);
    CHECK(tokens <= std::numeric_limits<int32_t>::max(), "pack: a batch of ", rows.size(),
          " sentences has more than 2^31 - 1 tokens; choose a smaller batch size");
    batch.offsets.push_back(static_cast<int32_t>(tokens));
    if (!data.labels.empty()) batch.labels.push_back(data.labels[row]);
    const auto values = data.values.begin() + row * width;
    batch.values.insert(batch.values.end(), values, values + width);
  }
  batch.ids.reserve(tokens);
  batch.segments.reserve(tokens);
  for (const int64_t row : rows) {
    batch.ids.insert(batch.ids.end(), data.ids.begin() + data.offsets[row], data.ids.begin() + data.offsets[row + 1]);
    batch.segments.insert(batch.segments.end(), data.first_lengths[row], 0);
    batch.segments.insert(batch.segments.end(), data.length(row) - data.first_lengths[row], 1);
  }
  return batch;
}

Loader::Loader(const TokenizedDataset& data, const LoaderOptions& options) : data_(&data), options_(options) {
  CHECK(data.sentences() > 0, "the dataset holds no sentences; expected at least one");
  CHECK(options.batch_size > 0, "batch size ", options.batch_size, "; expected at least 1 sentence");
  CHECK(options.accumulate > 0, "accumulate ", options.accumulate, "; expected at least 1 batch per step");
}

int64_t Loader::batches() const { return ceil_div(data_->sentences(), options_.batch_size); }
int64_t Loader::windows() const { return ceil_div(batches(), options_.accumulate); }
Epoch Loader::epoch(int64_t number) const { return {*this, number}; }

Epoch::Epoch(const Loader& loader, int64_t number) : loader_(loader), order_(loader.data().sentences()) {
  const TokenizedDataset& data = loader.data();
  std::iota(order_.begin(), order_.end(), 0);
  if (loader.options().order == Order::shuffled) {
    SplitMix(loader.options().seed, static_cast<uint64_t>(number)).shuffle(order_);
  } else if (loader.options().order == Order::longest_first) {
    std::stable_sort(order_.begin(), order_.end(),
                     [&](int64_t a, int64_t b) { return data.length(a) > data.length(b); });
  }
}

PackedBatch Epoch::batch(int64_t index) const {
  CHECK(index >= 0 && index < loader_.batches(), "batch ", index, " of an epoch with ", loader_.batches());
  const int64_t size = loader_.options().batch_size;
  const int64_t begin = index * size;
  const int64_t left = loader_.data().sentences() - begin;
  return pack(loader_.data(), std::span(order_).subspan(begin, std::min(size, left)));
}

Window Epoch::window(int64_t index) const {
  CHECK(index >= 0 && index < loader_.windows(), "window ", index, " of an epoch with ", loader_.windows());
  const int64_t begin = index * loader_.options().accumulate;
  const int64_t count = std::min(loader_.options().accumulate, loader_.batches() - begin);
  Window window;
  for (int64_t i = begin; i < begin + count; ++i) {
    window.batches.push_back(batch(i));
    window.sentences += window.batches.back().sentences();
    window.labelled += window.batches.back().labelled();
    window.tokens += window.batches.back().tokens();
  }
  return window;
}

}  // namespace espalier
