// SPDX-License-Identifier: Apache-2.0
// Evaluation of a model over a dataset; used by training after each epoch and by programs.
#pragma once

#include <functional>
#include <vector>

#include "core/record.h"
#include "data/text/loader.h"
#include "nn/bert.h"

namespace espalier {

struct Evaluation {
  Metrics metrics;  // empty when the data has no labels
  double seconds = 0;
  int64_t sentences = 0, batches = 0;
  bool labelled = true;
  Tensor scores;              // [N, K] by Head::scores, in file order; none when the data has no labels
  std::vector<float> logits;  // [N, C] in file order; empty for a head whose logits belong to tokens

  // eval_loss, eval_accuracy or what the head's metrics are, eval_runtime (s), eval_samples_per_second,
  // eval_steps_per_second
  Record to_record() const;
};

// Batches are sorted by length and dealt out to the ranks, all of which call this and get the same. `progress(done,
// batches)` is called after each.
Evaluation evaluate(const Bert& model, const TokenizedDataset& data, int64_t batch_size,
                    const std::function<void(int64_t, int64_t)>& progress = {});

}  // namespace espalier
