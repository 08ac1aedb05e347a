// SPDX-License-Identifier: Apache-2.0
// Loader: turns a dataset into PackedBatches, epoch by epoch. Owns the order of the sentences, not the sentences. Used
// by training and evaluation.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "data/files/paged_array.h"
#include "data/text/dataset.h"
#include "nn/packed_batch.h"

namespace espalier {

// N tokenized sentences (or pairs) laid end to end, T tokens in all.
struct TokenizedDataset {
  PagedArray<int32_t> ids;            // [T] with [CLS] and [SEP]
  PagedArray<int32_t> first_lengths;  // [N] tokens of sentence i in segment 0; the rest is segment 1
  PagedArray<int64_t> offsets = {0};  // [N + 1] sentence i is ids[offsets[i]] … ids[offsets[i + 1]]
  PagedArray<int32_t> labels;         // [N], -1 for an unlabelled sentence; empty where all are
  bool token_labels = false;          // the labels are [T], of tokens
  PagedArray<float> values;           // [N, W] of the labels, zero for an unlabelled sentence; empty for mere classes

  void set_limit(size_t bytes);  // of each array in memory, before anything is appended
  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  int64_t sentences() const { return static_cast<int64_t>(first_lengths.size()); }
  int64_t values_per_sentence() const { return sentences() > 0 ? std::ssize(values) / sentences() : 0; }  // W
  int64_t length(int64_t i) const { return offsets[i + 1] - offsets[i]; }
  std::span<const int32_t> labels_of(int64_t i) const;  // of sentence i: one, or one a token; none where there are none
};

// Appends one example's ids, and as many segments: 0s, then 1s. Both vectors come in empty. Called from several threads
// at once.
using Tokenize = std::function<void(const Example& example, std::vector<int32_t>& ids, std::vector<int32_t>& segments)>;

// Tokenizes every example once, in parallel. Throws Error where `tokenize` yields no ids or breaks its promise about
// segments.
TokenizedDataset tokenize_dataset(const Dataset& dataset, const Tokenize& tokenize);
TokenizedDataset tokenize_examples(std::span<const Example> examples, bool labelled, const Tokenize& tokenize);

// Adds the sentences of `more` behind those of `data`; or those of them that `rows` names.
void append(TokenizedDataset& data, const TokenizedDataset& more);
void append(TokenizedDataset& data, const TokenizedDataset& more, std::span<const int64_t> rows);

// The sentences `rows`, in that order. Throws Error for a row out of range and for more than 2^31 - 1 tokens.
PackedBatch pack(const TokenizedDataset& data, std::span<const int64_t> rows);

enum class Order {
  shuffled,      // by (seed, epoch) alone
  file,          // as in the file
  longest_first  // for evaluation; sentences of equal length stay in file order, PackedBatch::rows leads back
};

struct LoaderOptions {
  int64_t batch_size = 32;    // sentences
  int64_t accumulate = 1;     // batches that make one optimizer step
  int64_t micro_batches = 1;  // parts into which each batch is cut, with a gradient of their own; see optim/lanes.h
  Order order = Order::shuffled;
  uint64_t seed = 0;
};

// The batches of one optimizer step. Their losses are to be averaged over `sentences`, which is smaller in an epoch's
// last window. Cut into L micro-batches each, they come lane by lane: part 0 of each batch, then part 1 of each, …;
// parts without sentences are empty.
struct Window {
  std::vector<PackedBatch> batches;
  int64_t sentences = 0;
  int64_t labelled = 0;  // labels in the batches
  int64_t tokens = 0;
  int64_t lanes = 1;  // L

  int64_t batches_in_lane() const { return std::ssize(batches) / lanes; }
};

// Where a run stands, to be saved and resumed: `window` is the next one of `epoch`, counted from 0.
struct Position {
  int64_t epoch = 0;
  int64_t window = 0;
};

class Epoch;

// Keeps a reference to `data`, which must outlive it and its epochs. Throws Error for an empty dataset and for options
// below 1.
class Loader {
 public:
  Loader(const TokenizedDataset& data, const LoaderOptions& options);
  Loader(TokenizedDataset&& data, const LoaderOptions& options) = delete;

  int64_t batches() const;  // in an epoch; the last one may be short
  int64_t windows() const;  // optimizer steps in an epoch; the last one may hold fewer batches
  Epoch epoch(int64_t number) const;

  const TokenizedDataset& data() const { return *data_; }
  const LoaderOptions& options() const { return options_; }

 private:
  const TokenizedDataset* data_;
  LoaderOptions options_;
};

// One pass over the data in a fixed order: each sentence once. Any batch or window can be asked for at any time; an
// index out of range throws Error.
class Epoch {
 public:
  Epoch(const Loader& loader, int64_t number);

  PackedBatch batch(int64_t index) const { return micro_batch(index, 0, 1); }
  Window window(int64_t index) const;
  const std::vector<int64_t>& order() const { return order_; }

 private:
  PackedBatch micro_batch(int64_t index, int64_t part, int64_t parts) const;

  Loader loader_;
  std::vector<int64_t> order_;  // [N]
};

}  // namespace espalier
