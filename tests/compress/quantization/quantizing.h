// SPDX-License-Identifier: Apache-2.0
// Sentences and their logits, for the tests of quantization.
#pragma once

#include <map>
#include <vector>

#include "data/models/model_source.h"

namespace espalier {

inline PackedBatch batch_of(const std::vector<std::vector<int32_t>>& sentences) {
  PackedBatch batch;
  batch.offsets = {0};
  for (const auto& s : sentences) {
    batch.ids.insert(batch.ids.end(), s.begin(), s.end());
    batch.segments.resize(batch.ids.size(), 0);
    batch.offsets.push_back(static_cast<int32_t>(batch.ids.size()));
    batch.labels.push_back(s[1] % 2);
  }
  return batch;
}

inline const std::vector<std::vector<int32_t>> sentences = {
    {2, 9, 8, 3}, {2, 5, 8, 7, 11, 3}, {2, 30, 31, 3}, {2, 12, 3}};

inline std::vector<float> logits(const Model& model, const std::vector<std::vector<int32_t>>& of = sentences) {
  Context context;
  const auto values = (*model.bert)(batch_of(of), context).value;
  return {values.span<float>().begin(), values.span<float>().end()};
}

// What products of the model read as integers, by the parameter's name; tables too.
inline std::map<std::string, std::shared_ptr<const QuantizedWeight>> integers_of(const Model& model) {
  std::map<std::string, std::shared_ptr<const QuantizedWeight>> all;
  for (Parameter* p : model.store.all()) {
    p->use({});
    if (auto integers = p->integers()) all[p->name] = std::move(integers);
  }
  return all;
}

}  // namespace espalier
