// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/regression.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/quoted.h"
#include "nn/heads/label_parts.h"
#include "nn/heads/labelled.h"

namespace espalier {
namespace {

// Pearson's correlation of predictions and targets, one pair a row; NaN where one of them does not vary.
double correlation(const std::vector<std::span<const double>>& rows, size_t predicted, size_t target) {
  const auto n = static_cast<double>(rows.size());
  double mean_p = 0, mean_t = 0, pp = 0, tt = 0, pt = 0;
  for (const auto& row : rows) mean_p += row[predicted] / n, mean_t += row[target] / n;
  for (const auto& row : rows) {
    const double p = row[predicted] - mean_p, t = row[target] - mean_t;
    pp += p * p, tt += t * t, pt += p * t;
  }
  return pp > 0 && tt > 0 ? pt / std::sqrt(pp * tt) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

Label Regression::read_label(std::string_view text) const {
  Label label{.number = 0};
  for (std::string_view part : label_parts(text)) {
    if (part.starts_with('+')) part.remove_prefix(1);
    float& value = label.values.emplace_back();
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    CHECK(error == std::errc() && end == part.data() + part.size() && std::isfinite(value), "label ", quoted(text),
          " is not a number; expected ", width(), width() == 1 ? " number" : " numbers",
          ", for a regression (problem_type): correct the line, or train a classifier");
  }
  CHECK(std::ssize(label.values) == width(), "label ", quoted(text), " has ", label.values.size(),
        " numbers; expected ", width(), ", for a regression (problem_type): correct the line");
  return label;
}

Var Regression::loss(const Var& logits, const PackedBatch& batch, double weight) const {
  const auto [x, targets] = labelled(logits, batch);
  return ops::mse(x, targets, (weight > 0 ? weight : 1) * static_cast<double>(width()));
}

Var Regression::soft_loss(const Var& logits, const Tensor& teacher, double /*temperature*/, double divisor) const {
  return ops::mse(logits, teacher, divisor * static_cast<double>(width()));
}

// Columns: whether there is a label, then a prediction and a target for each name.
Tensor Regression::scores(const Tensor& logits, const PackedBatch& batch) const {
  Tensor scores = Tensor::zeros({batch.sentences(), 1 + 2 * width()}, DType::f64);
  for (int64_t b = 0; b < batch.sentences(); ++b) {
    if (batch.labels[static_cast<size_t>(b)] < 0) continue;
    double* const to = scores.data<double>() + b * scores.cols();
    to[0] = 1;
    for (int64_t c = 0; c < width(); ++c) {
      to[1 + 2 * c] = static_cast<double>(logits.data<float>()[b * width() + c]);
      to[2 + 2 * c] = static_cast<double>(batch.values[static_cast<size_t>(b * width() + c)]);
    }
  }
  return scores;
}

Metrics Regression::metrics(const Tensor& scores) const {
  std::vector<std::span<const double>> rows;  // with a label
  for (int64_t i = 0; i < scores.rows(); ++i) {
    const std::span<const double> row(scores.data<double>() + i * scores.cols(), static_cast<size_t>(scores.cols()));
    if (row[0] > 0) rows.push_back(row);
  }
  CHECK(!rows.empty(), "regression: no sentence has a label; expected some for the mean squared error");
  double squares = 0;
  for (const auto& row : rows)
    for (size_t c = 1; c < row.size(); c += 2) squares += (row[c] - row[c + 1]) * (row[c] - row[c + 1]);
  const double mse = squares / static_cast<double>(std::ssize(rows) * width());
  Metrics metrics{mse, {{metric(), -mse}, {"mse", mse}}};
  if (const double r = correlation(rows, 1, 2); width() == 1 && std::isfinite(r))
    metrics.values.push_back({"pearson", r});
  return metrics;
}

Answer Regression::answer(const Tensor& logits) const { return answer_by_numbers(logits.span<float>(), labels()); }

}  // namespace espalier
