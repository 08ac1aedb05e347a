// SPDX-License-Identifier: Apache-2.0
// EdgeClassifier: an edge file that answers, as Classifier does for all other models. Any number of threads share one.
// Used by espalier.h and by the program edge.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "apps/inference/answer_texts.h"
#include "data/edge/edge_model.h"

namespace espalier {

class EdgeClassifier {
 public:
  // max_length: tokens of a text or pair, 3 … positions; longer ones are cut. 0: 128, or all positions where these are
  // fewer. Throws as EdgeFile and EdgeModel do, and for another max_length.
  explicit EdgeClassifier(const EdgeFile& file, int max_length = 0);

  std::vector<Answer> classify(std::span<const Text> texts) const;

  const EdgeModel& model() const { return model_; }
  int max_length() const { return max_length_; }

 private:
  EdgeModel model_;
  int max_length_;
};

}  // namespace espalier
