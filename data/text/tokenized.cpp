// SPDX-License-Identifier: Apache-2.0
// How a TokenizedDataset is made.
#include <algorithm>
#include <numeric>
#include <vector>

#include "core/check.h"
#include "core/parallel.h"
#include "data/text/loader.h"

namespace espalier {
namespace {

constexpr int64_t piece_rows = 256;  // examples that one task tokenizes

// One task's part.
struct Piece {
  std::vector<int32_t> ids, first_lengths;
  std::vector<int64_t> lengths;
};

// Tokenizes `examples` into `piece`. `row` is the index of the first one, for messages.
void tokenize_rows(std::span<const Example> examples, int64_t row, const Tokenize& tokenize, Piece& piece) {
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
    piece.lengths.push_back(std::ssize(ids));
    ++row;
  }
}

// Of sentences with these lengths, behind those that `data` has.
void append_offsets(TokenizedDataset& data, std::span<const int64_t> lengths) {
  std::vector<int64_t> offsets;
  offsets.reserve(lengths.size());
  int64_t end = data.offsets.back();
  for (const int64_t length : lengths) offsets.push_back(end += length);
  data.offsets.append(offsets);
}

void append_labels(TokenizedDataset& data, std::span<const Example> examples) {
  std::vector<int32_t> labels;
  std::vector<float> values;
  for (const Example& example : examples) {
    CHECK(example.values.size() == examples.front().values.size(), "tokenize_dataset: example ", labels.size(), " has ",
          example.values.size(), " numbers as its label, the first one ", examples.front().values.size(),
          "; expected as many");
    labels.push_back(example.label);
    values.insert(values.end(), example.values.begin(), example.values.end());
  }
  data.labels.append(labels);
  data.values.append(values);
}

}  // namespace

void TokenizedDataset::set_limit(size_t bytes) {
  ids.set_limit(bytes);
  first_lengths.set_limit(bytes);
  offsets.set_limit(bytes);
  labels.set_limit(bytes);
  values.set_limit(bytes);
}

std::span<const int32_t> TokenizedDataset::labels_of(int64_t i) const {
  if (labels.empty()) return {};
  const auto all = labels.span();
  if (!token_labels) return all.subspan(static_cast<size_t>(i), 1);
  return all.subspan(static_cast<size_t>(offsets[i]), static_cast<size_t>(length(i)));
}

TokenizedDataset tokenize_dataset(const Dataset& dataset, const Tokenize& tokenize) {
  return tokenize_examples(dataset.examples, dataset.labelled, tokenize);
}

TokenizedDataset tokenize_examples(std::span<const Example> examples, bool labelled, const Tokenize& tokenize) {
  const int64_t count = std::ssize(examples);
  std::vector<Piece> pieces(static_cast<size_t>((count + piece_rows - 1) / piece_rows));
  parallel_for(std::ssize(pieces), [&](int64_t i) {
    const int64_t begin = i * piece_rows;
    tokenize_rows(
        examples.subspan(static_cast<size_t>(begin), static_cast<size_t>(std::min(piece_rows, count - begin))), begin,
        tokenize, pieces[static_cast<size_t>(i)]);
  });
  TokenizedDataset data;
  for (Piece& piece : pieces) {
    data.ids.append(piece.ids);
    data.first_lengths.append(piece.first_lengths);
    append_offsets(data, piece.lengths);
    piece = {};
  }
  if (labelled) append_labels(data, examples);
  return data;
}

void append(TokenizedDataset& data, const TokenizedDataset& more) {
  std::vector<int64_t> rows(static_cast<size_t>(more.sentences()));
  std::iota(rows.begin(), rows.end(), 0);
  append(data, more, rows);
}

void append(TokenizedDataset& data, const TokenizedDataset& more, std::span<const int64_t> rows) {
  data.token_labels = data.token_labels || more.token_labels;
  const auto before = static_cast<size_t>(data.sentences()), after = before + rows.size();
  const int64_t width = std::max(data.values_per_sentence(), more.values_per_sentence());
  const bool labelled = !data.labels.empty() || !more.labels.empty();
  std::vector<int32_t> ids, first_lengths, labels;
  std::vector<int64_t> lengths;
  std::vector<float> values;
  for (const int64_t row : rows) {
    ids.insert(ids.end(), more.ids.begin() + more.offsets[row], more.ids.begin() + more.offsets[row + 1]);
    first_lengths.push_back(more.first_lengths[row]);
    lengths.push_back(more.length(row));
    const auto of_row = more.labels_of(row);
    labels.insert(labels.end(), of_row.begin(), of_row.end());
    const auto* const first = more.values.begin() + row * more.values_per_sentence();
    values.insert(values.end(), first, first + more.values_per_sentence());
  }
  if (labelled) {
    data.labels.grow(before, -1);
    data.labels.append(labels);
    data.labels.grow(after, -1);
  }
  data.values.grow(before * static_cast<size_t>(width), 0);
  data.values.append(values);
  data.values.grow(after * static_cast<size_t>(width), 0);
  data.ids.append(ids);
  data.first_lengths.append(first_lengths);
  append_offsets(data, lengths);
}

}  // namespace espalier
