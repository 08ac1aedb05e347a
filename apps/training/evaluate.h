// SPDX-License-Identifier: Apache-2.0
// Evaluation of a classifier over a dataset; used by training after each epoch, and by programs.
#pragma once

#include <functional>
#include <vector>

#include "core/record.h"
#include "data/text/loader.h"
#include "nn/bert.h"

namespace espalier {

struct Evaluation {
  double loss = 0, accuracy = 0;  // 0 when the data has no labels
  double seconds = 0;
  int64_t sentences = 0, batches = 0;
  bool labelled = true;
  std::vector<float> logits;  // [N, C] in file order

  Record metrics() const;  // eval_loss, eval_accuracy, eval_runtime (s), eval_samples_per_second, eval_steps_per_second
};

// Batches are sorted by length. `progress(done, batches)` is called after each.
Evaluation evaluate(const Bert& model, const TokenizedDataset& data, int64_t batch_size,
                    const std::function<void(int64_t, int64_t)>& progress = {});

int32_t argmax(const float* values, int64_t count);
std::vector<double> softmax(const float* logits, int64_t count);

}  // namespace espalier
