// SPDX-License-Identifier: Apache-2.0
#include "apps/inference/edge_classifier.h"

#include <algorithm>

#include "apps/inference/default_length.h"
#include "core/check.h"

namespace espalier {

EdgeClassifier::EdgeClassifier(const EdgeFile& file, int max_length) : model_(file), max_length_(max_length) {
  if (max_length == 0) max_length_ = static_cast<int>(std::min<int64_t>(default_length, model_.positions()));
  CHECK(max_length_ >= 3 && max_length_ <= model_.positions(), "max_length ", max_length, ": expected 3 … ",
        model_.positions(), ", the model's number of positions");
}

std::vector<Answer> EdgeClassifier::classify(std::span<const Text> texts) const {
  return answer_texts(
      texts, [&](const Text& text) { return encode(model_.tokenizer(), text, max_length_); },
      [&](const PackedBatch& batch) { return model_(batch); });
}

}  // namespace espalier
