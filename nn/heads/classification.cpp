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

// The mean of F1 over the classes that occur or are predicted.
double macro_f1(const std::vector<std::span<const double>>& rows, size_t classes) {
  std::vector<int64_t> hits(classes), guesses(classes), occurrences(classes);
  for (const auto& row : rows) {
    const auto guess = static_cast<size_t>(row[predicted]), wanted = static_cast<size_t>(row[label]);
    ++guesses[guess], ++occurrences[wanted];
    if (guess == wanted) ++hits[wanted];
  }
  double sum = 0, count = 0;
  for (size_t c = 0; c < classes; ++c) {
    const int64_t all = guesses[c] + occurrences[c];
    if (all == 0) continue;
    sum += 2 * static_cast<double>(hits[c]) / static_cast<double>(all);
    ++count;
  }
  return sum / count;
}

int64_t argmax(std::span<const float> logits) { return std::ranges::max_element(logits) - logits.begin(); }

}  // namespace

Var Classification::loss(const Var& logits, const PackedBatch& batch, double weight) const {
  return ops::cross_entropy(logits, batch.labels, weight > 0 ? weight : 1);
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
  return {loss, {{metric(), static_cast<double>(correct) / count}, {"macro_f1", macro_f1(rows, labels().size())}}};
}

Answer Classification::answer(const Tensor& logits) const { return answer_by_class(logits.span<float>(), labels()); }

}  // namespace espalier
