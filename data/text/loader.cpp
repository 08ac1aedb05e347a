// SPDX-License-Identifier: Apache-2.0
#include "data/text/loader.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "data/text/splitmix.h"

namespace espalier {
namespace {

int64_t ceil_div(int64_t a, int64_t b) { return a / b + (a % b != 0); }

}  // namespace

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
    const auto labels = data.labels_of(row);
    batch.labels.insert(batch.labels.end(), labels.begin(), labels.end());
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
  CHECK(options.micro_batches > 0, "micro-batches ", options.micro_batches, "; expected at least 1 a batch");
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

PackedBatch Epoch::micro_batch(int64_t index, int64_t part, int64_t parts) const {
  CHECK(index >= 0 && index < loader_.batches(), "batch ", index, " of an epoch with ", loader_.batches());
  const int64_t first = index * loader_.options().batch_size,
                size = std::min(loader_.options().batch_size, loader_.data().sentences() - first);
  const int64_t begin = size * part / parts, end = size * (part + 1) / parts;
  return pack(loader_.data(),
              std::span(order_).subspan(static_cast<size_t>(first + begin), static_cast<size_t>(end - begin)));
}

Window Epoch::window(int64_t index) const {
  CHECK(index >= 0 && index < loader_.windows(), "window ", index, " of an epoch with ", loader_.windows());
  const int64_t begin = index * loader_.options().accumulate;
  const int64_t count = std::min(loader_.options().accumulate, loader_.batches() - begin);
  Window window;
  window.lanes = loader_.options().micro_batches;
  for (int64_t lane = 0; lane < window.lanes; ++lane)
    for (int64_t i = begin; i < begin + count; ++i) {
      window.batches.push_back(micro_batch(i, lane, window.lanes));
      window.sentences += window.batches.back().sentences();
      window.labelled += window.batches.back().labelled();
      window.tokens += window.batches.back().tokens();
    }
  return window;
}

}  // namespace espalier
