// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/regression.h"

#include <charconv>
#include <cmath>

#include "core/check.h"
#include "core/quoted.h"
#include "nn/heads/label_parts.h"
#include "nn/heads/labelled.h"
#include "nn/metrics/correlation.h"

namespace espalier {
namespace {

// Predictions and targets of the sentences that have some.
struct ScoredNumbers {
  std::vector<std::vector<double>> predictions, targets;  // [W][N]

  explicit ScoredNumbers(const Tensor& scores)
      : predictions(static_cast<size_t>((scores.cols() - 1) / 2)), targets(predictions.size()) {
    for (int64_t i = 0; i < scores.rows(); ++i) {
      const double* const row = scores.data<double>() + i * scores.cols();
      for (size_t c = 0; row[0] > 0 && c < predictions.size(); ++c)
        predictions[c].push_back(row[1 + 2 * c]), targets[c].push_back(row[2 + 2 * c]);
    }
    CHECK(!targets.front().empty(), "regression: no sentence has a label; expected some for the mean squared error");
  }
  // The mean of error(prediction - target), of one number or of all.
  template <class Error>
  double mean(const Error& error, size_t begin, size_t end) const {
    double sum = 0;
    const size_t sentences = targets.front().size();
    for (size_t i = 0; i < sentences; ++i)
      for (size_t c = begin; c < end; ++c) sum += error(predictions[c][i] - targets[c][i]);
    return sum / static_cast<double>(sentences * (end - begin));
  }
  double mse(size_t begin, size_t end) const {
    return mean([](double e) { return e * e; }, begin, end);
  }
  double mae(size_t begin, size_t end) const {
    return mean([](double e) { return std::abs(e); }, begin, end);
  }
};

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

Var Regression::loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const {
  const auto [x, targets] = labelled(logits, batch);
  return ops::mse(x, targets, (weight.labels > 0 ? weight.labels : 1) * static_cast<double>(width()));
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
  const ScoredNumbers scored(scores);
  const size_t numbers = scored.targets.size();
  const double mse = scored.mse(0, numbers);
  Metrics m{mse, {{metric(), -mse}, {"mse", mse}, {"mae", scored.mae(0, numbers)}}};
  if (numbers > 1) return m;
  const std::vector<double>&x = scored.predictions.front(), &t = scored.targets.front();
  m.add("r2", metrics::r2(x, t));
  m.add("pearson", metrics::pearson(x, t));
  m.add("spearman", metrics::spearman(x, t));
  return m;
}

std::vector<Metric> Regression::known_metrics() const {
  std::vector<Metric> known = {{metric()}, {"mse", true}, {"mae", true}};
  if (width() == 1) known.insert(known.end(), {{"r2"}, {"pearson"}, {"spearman"}});
  known.push_back({"loss", true});
  return known;
}

ClassReport Regression::report(const Tensor& scores) const {
  const ScoredNumbers scored(scores);
  ClassReport report{.columns = {"mse", "mae", "r2", "pearson", "spearman", "support"}};
  for (size_t c = 0; c < labels().size(); ++c) {
    const std::vector<double>&x = scored.predictions[c], &t = scored.targets[c];
    report.classes.push_back({labels()[c],
                              {scored.mse(c, c + 1), scored.mae(c, c + 1), metrics::r2(x, t), metrics::pearson(x, t),
                               metrics::spearman(x, t), static_cast<double>(t.size())}});
  }
  return report;
}

Answer Regression::answer(const Tensor& logits) const { return answer_by_numbers(logits.span<float>(), labels()); }

}  // namespace espalier
