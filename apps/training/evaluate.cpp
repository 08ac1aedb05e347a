// SPDX-License-Identifier: Apache-2.0
#include "apps/training/evaluate.h"

#include <algorithm>
#include <span>

#include "apps/training/timing.h"

namespace espalier {
namespace {

// Row b of `from` becomes row rows[b] of `to`.
template <class T>
void put_rows(std::span<T> from, std::span<const int64_t> rows, std::span<T> to) {
  const size_t width = from.size() / rows.size();
  for (size_t b = 0; b < rows.size(); ++b)
    std::ranges::copy(from.subspan(b * width, width), to.begin() + rows[b] * static_cast<int64_t>(width));
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
  result.logits.resize(static_cast<size_t>(data.sentences() * head.width()));
  for (int64_t i = 0; i < loader.batches(); ++i) {
    const PackedBatch batch = epoch.batch(i);
    Context context;
    const Tensor logits = model(batch, context).value;
    if (head.width() > 0) put_rows(logits.span<float>(), batch.rows, std::span(result.logits));
    if (result.labelled) {
      const Tensor of_batch = head.scores(logits, batch);
      if (!result.scores) result.scores = Tensor({data.sentences(), of_batch.cols()}, DType::f64);
      put_rows(of_batch.span<double>(), batch.rows, result.scores.span<double>());
    }
    if (progress) progress(i + 1, loader.batches());
  }
  if (result.labelled) result.metrics = head.metrics(result.scores);
  result.seconds = watch.seconds();
  return result;
}

}  // namespace espalier
