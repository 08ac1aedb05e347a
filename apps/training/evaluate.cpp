// SPDX-License-Identifier: Apache-2.0
#include "apps/training/evaluate.h"

#include <algorithm>
#include <cmath>

#include "apps/training/timing.h"

namespace espalier {

Record Evaluation::metrics() const {
  Record m = {{"eval_runtime", seconds},
              {"eval_samples_per_second", static_cast<double>(sentences) / seconds},
              {"eval_steps_per_second", static_cast<double>(batches) / seconds}};
  if (labelled) {
    m.set("eval_loss", loss);
    m.set("eval_accuracy", accuracy);
  }
  return m;
}

Evaluation evaluate(const Bert& model, const TokenizedDataset& data, int64_t batch_size,
                    const std::function<void(int64_t, int64_t)>& progress) {
  const Stopwatch watch;
  const Loader loader(data, {.batch_size = batch_size, .order = Order::longest_first});
  const Epoch epoch = loader.epoch(0);
  const int64_t classes = model.config().classes();
  Evaluation result;
  result.sentences = data.sentences();
  result.batches = loader.batches();
  result.labelled = !data.labels.empty();
  result.logits.resize(static_cast<size_t>(data.sentences() * classes));
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const PackedBatch batch = epoch.batch(i);
    Context context;
    const Var logits = model(batch, context);
    for (int64_t b = 0; b < batch.sentences(); ++b)
      std::copy_n(logits.value.data<float>() + b * classes, classes,
                  result.logits.data() + batch.rows[static_cast<size_t>(b)] * classes);
    if (progress) progress(i + 1, loader.batches());
  }
  if (result.labelled) {
    int64_t correct = 0;
    for (int64_t i = 0; i < data.sentences(); ++i) {
      const float* const row = result.logits.data() + i * classes;
      const int32_t label = data.labels[static_cast<size_t>(i)];
      result.loss -=
          std::log(softmax(row, classes)[static_cast<size_t>(label)]) / static_cast<double>(data.sentences());
      correct += argmax(row, classes) == label;
    }
    result.accuracy = static_cast<double>(correct) / static_cast<double>(data.sentences());
  }
  result.seconds = watch.seconds();
  return result;
}

int32_t argmax(const float* values, int64_t count) {
  return static_cast<int32_t>(std::max_element(values, values + count) - values);
}

std::vector<double> softmax(const float* logits, int64_t count) {
  const double largest = *std::max_element(logits, logits + count);
  std::vector<double> p(static_cast<size_t>(count));
  double sum = 0;
  for (int64_t c = 0; c < count; ++c) sum += p[static_cast<size_t>(c)] = std::exp(logits[c] - largest);
  for (double& v : p) v /= sum;
  return p;
}

}  // namespace espalier
