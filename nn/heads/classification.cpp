// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/classification.h"

#include <algorithm>

#include "core/ops/log_softmax.h"

namespace espalier {
namespace {

enum Column { log_probability, predicted, label, columns };  // of the scores; the first is that of the label

// Never underflows, whatever lies between the logits.
double log_probability_of(int32_t wanted, std::span<const float> logits) {
  std::vector<double> all(logits.size());
  ops::log_softmax(logits.data(), std::ssize(logits), 1.0, all.data());
  return all[static_cast<size_t>(wanted)];
}

int64_t argmax(std::span<const float> logits) { return std::ranges::max_element(logits) - logits.begin(); }

}  // namespace

Var Classification::loss(const Var& logits, const PackedBatch& batch, int64_t labelled) const {
  return ops::cross_entropy(logits, batch.labels, static_cast<double>(std::max<int64_t>(1, labelled)));
}

Tensor Classification::scores(const Tensor& logits, const PackedBatch& batch) const {
  Tensor scores({batch.sentences(), columns}, DType::f64);
  for (int64_t b = 0; b < batch.sentences(); ++b) {
    const auto row = logits.span<float>().subspan(static_cast<size_t>(b * width()), labels().size());
    const int32_t wanted = batch.labels[static_cast<size_t>(b)];
    double* const to = scores.data<double>() + b * columns;
    to[log_probability] = wanted < 0 ? 0 : log_probability_of(wanted, row);
    to[predicted] = static_cast<double>(argmax(row));
    to[label] = wanted;
  }
  return scores;
}

Metrics Classification::metrics(const Tensor& scores) const {
  std::vector<std::span<const double>> rows;  // with a label
  for (int64_t i = 0; i < scores.rows(); ++i) {
    const std::span<const double> row(scores.data<double>() + i * columns, columns);
    if (row[label] >= 0) rows.push_back(row);
  }
  CHECK(!rows.empty(), "classification: no sentence has a label; expected some for loss and accuracy");
  const auto count = static_cast<double>(rows.size());
  double loss = 0;
  for (const auto& row : rows) loss -= row[log_probability] / count;
  const auto correct = std::ranges::count_if(rows, [](const auto& row) { return row[predicted] == row[label]; });
  return {loss, {{metric(), static_cast<double>(correct) / count}}};
}

Answer Classification::answer(const Tensor& logits) const { return answer_by_class(logits.span<float>(), labels()); }

}  // namespace espalier
