// SPDX-License-Identifier: Apache-2.0
#include "apps/training/evaluate.h"

#include <algorithm>
#include <span>

#include "apps/training/timing.h"
#include "core/dealt.h"

namespace espalier {
namespace {

// The rows of each batch, in the loader's order, become those that they are in the file: [N, width].
template <class T>
std::vector<T> in_file_order(const std::vector<std::vector<T>>& batches, std::span<const int64_t> order) {
  size_t numbers = 0;
  for (const auto& batch : batches) numbers += batch.size();
  const size_t width = numbers / order.size();
  std::vector<T> all(numbers);
  auto row = order.begin();
  for (const auto& batch : batches)
    for (size_t at = 0; at < batch.size(); at += width)
      std::copy_n(batch.begin() + static_cast<int64_t>(at), width, all.begin() + *row++ * static_cast<int64_t>(width));
  return all;
}

}  // namespace

Record Evaluation::to_record() const {
  Record m = {{"eval_runtime", seconds},
              {"eval_samples_per_second", static_cast<double>(sentences) / seconds},
              {"eval_steps_per_second", static_cast<double>(batches) / seconds}};
  if (!labelled) return m;
  m.set("eval_loss", metrics.loss);
  for (const auto& [name, value] : metrics.values) m.set("eval_" + name, value);
  return m;
}

Evaluation evaluate(const Bert& model, const TokenizedDataset& data, int64_t batch_size,
                    const std::function<void(int64_t, int64_t)>& progress) {
  const Stopwatch watch;
  const Loader loader(data, {.batch_size = batch_size, .order = Order::longest_first});
  const Epoch epoch = loader.epoch(0);
  const Head& head = model.head();
  Evaluation result;
  result.sentences = data.sentences();
  result.batches = loader.batches();
  result.labelled = !data.labels.empty();
  Dealt<float> logits;
  Dealt<double> scores;
  for (int64_t i = 0; i < loader.batches(); ++i) {
    if (!is_own(i)) continue;
    const PackedBatch batch = epoch.batch(i);
    Context context;
    const Tensor of_batch = model(batch, context).value;
    if (head.width() > 0) logits.add(of_batch.span<float>());
    if (result.labelled) scores.add(head.scores(of_batch, batch).span<double>());
    if (progress) progress(std::min(i + ranks(), loader.batches()), loader.batches());
  }
  result.logits = in_file_order(logits.gather(), epoch.order());
  if (result.labelled) {
    const std::vector<double> all = in_file_order(scores.gather(), epoch.order());
    result.scores = Tensor::of<double>({data.sentences(), std::ssize(all) / data.sentences()}, all);
  }
  if (result.labelled) result.metrics = head.metrics(result.scores);
  result.seconds = watch.seconds();
  return result;
}

}  // namespace espalier
