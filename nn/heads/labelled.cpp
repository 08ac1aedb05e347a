// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/labelled.h"

#include <algorithm>

#include "core/check.h"

namespace espalier {

Labelled labelled(const Var& logits, const PackedBatch& batch) {
  const int64_t sentences = batch.sentences(), width = logits.value.cols();
  CHECK(std::ssize(batch.values) == sentences * width, "labels: ", batch.values.size(), " numbers for ", sentences,
        " sentences; expected ", width, " for each");
  if (batch.labelled() == sentences) return {logits, Tensor::of<float>({sentences, width}, batch.values)};
  std::vector<int32_t> rows;
  std::vector<float> values;
  for (int64_t b = 0; b < sentences; ++b) {
    if (batch.labels[static_cast<size_t>(b)] < 0) continue;
    rows.push_back(static_cast<int32_t>(b));
    const auto first = batch.values.begin() + b * width;
    values.insert(values.end(), first, first + width);
  }
  return {ops::gather_rows(logits, rows), Tensor::of<float>({std::ssize(rows), width}, values)};
}

}  // namespace espalier
