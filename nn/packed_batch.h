// SPDX-License-Identifier: Apache-2.0
// PackedBatch: the sentences of a batch laid end to end, without padding. Made by data/text/loader, read by Bert and by
// the losses. It lives in nn because the model takes it and everything above nn passes it on.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

namespace espalier {

struct PackedBatch {
  std::vector<int32_t> ids;       // [T] token ids, each sentence with its [CLS] and [SEP]
  std::vector<int32_t> segments;  // [T] 0 for the first sentence of a pair, 1 for the second
  std::vector<int32_t>
      offsets;  // [B + 1] sentence b is rows offsets[b] … offsets[b + 1]; offsets[0] is 0, offsets[B] is T
  std::vector<int32_t> labels;  // [B] class of each sentence, or [T] of each token, as the head wants; -1: none; empty
                                // for unlabelled text
  std::vector<int64_t> rows;    // [B] index of each sentence in its dataset
  std::vector<float> values = {};  // [B, W] of the labels, for heads that learn numbers; empty for others

  int64_t tokens() const { return static_cast<int64_t>(ids.size()); }
  int64_t sentences() const { return offsets.empty() ? 0 : static_cast<int64_t>(offsets.size()) - 1; }
  int64_t labelled() const {  // sentences or tokens that have a label
    return std::count_if(labels.begin(), labels.end(), [](int32_t label) { return label >= 0; });
  }
};

}  // namespace espalier
