// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/multi_label.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/quoted.h"
#include "nn/heads/label_parts.h"
#include "nn/heads/labelled.h"
#include "nn/metrics/correlation.h"
#include "nn/metrics/hits.h"

namespace espalier {
namespace {

// Columns of the scores; behind them are the logits of all classes, and the labels, 0 or 1.
enum LabelColumn { has_label, loss_of, logits_of };

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// log(1 + e^x) - t x, for a target t of 0 or 1.
double binary_loss(double x, double t) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) - t * x; }

// The scores of the sentences with labels.
class ScoredLabels {
 public:
  explicit ScoredLabels(const Tensor& scores)
      : classes_(static_cast<size_t>((scores.cols() - logits_of) / 2)), hits_(classes_) {
    for (int64_t i = 0; i < scores.rows(); ++i) {
      const std::span<const double> row(scores.data<double>() + i * scores.cols(), static_cast<size_t>(scores.cols()));
      if (row[has_label] == 0) continue;
      rows_.push_back(row);
      double correct = 0;
      for (size_t c = 0; c < classes_; ++c) {
        hits_[c].add(wanted(row, c), chosen(row, c));
        correct += wanted(row, c) == chosen(row, c) ? 1 : 0;
      }
      correct_ += correct, whole_ += correct == static_cast<double>(classes_) ? 1 : 0;
    }
    CHECK(!rows_.empty(), "multi-label: no sentence has a label; expected some for loss and F1");
  }

  double sentences() const { return static_cast<double>(rows_.size()); }
  double loss() const {
    double sum = 0;
    for (const auto& row : rows_) sum += row[loss_of];
    return sum / sentences();
  }
  const std::vector<metrics::Hits>& hits() const { return hits_; }
  double label_accuracy() const { return correct_ / sentences() / static_cast<double>(classes_); }
  double exact_match() const { return whole_ / sentences(); }  // every decision is correct
  double roc_auc(size_t c) const {
    std::vector<double> scores;
    std::vector<bool> labels;
    for (const auto& row : rows_) scores.push_back(row[logits_of + c]), labels.push_back(wanted(row, c));
    return metrics::roc_auc(scores, labels);
  }
  // The mean over the classes that some sentences have and others have not.
  double roc_auc() const {
    std::vector<double> areas;
    for (size_t c = 0; c < classes_; ++c) areas.push_back(roc_auc(c));
    return metrics::mean_of_defined(areas);
  }

 private:
  using Row = std::span<const double>;
  bool chosen(const Row& row, size_t c) const { return row[logits_of + c] > 0; }
  bool wanted(const Row& row, size_t c) const { return row[logits_of + classes_ + c] > 0; }

  std::vector<Row> rows_;
  size_t classes_;
  std::vector<metrics::Hits> hits_;
  double correct_ = 0, whole_ = 0;
};

}  // namespace

// False unless the text is 0 or 1 for each class and no class has such a name.
bool MultiLabel::read_bits(std::string_view text, std::vector<float>& values) const {
  const auto parts = label_parts(text);
  const auto is_bit = [](std::string_view part) { return part == "0" || part == "1"; };
  if (std::ssize(parts) != width() || !std::ranges::all_of(parts, is_bit) || std::ranges::any_of(labels(), is_bit))
    return false;
  std::ranges::transform(parts, values.begin(), [](std::string_view part) { return part == "1" ? 1.0F : 0.0F; });
  return true;
}

Label MultiLabel::read_label(std::string_view text) const {
  Label label{.number = 0, .values = std::vector<float>(labels().size())};
  const auto choose = [&](std::string_view name) {
    const auto found = std::ranges::find(labels(), name);
    if (found != labels().end()) label.values[static_cast<size_t>(found - labels().begin())] = 1;
    return found != labels().end();
  };
  if (read_bits(text, label.values) || choose(text)) return label;
  for (const std::string_view part : label_parts(text))
    CHECK(choose(part), "label ", quoted(text), " has ", quoted(part), "; expected some of ", quoted(labels()),
          " with commas between, or 0 or 1 for each: correct the line, or the names");
  return label;
}

Var MultiLabel::loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const {
  const auto [x, targets] = labelled(logits, batch);
  const double divisor = (weight.labels > 0 ? weight.labels : 1) * static_cast<double>(width());
  return loss_.plain() ? ops::binary_cross_entropy(x, targets, divisor)
                       : ops::weighted_binary_cross_entropy(x, targets, loss_, divisor);
}

Var MultiLabel::soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const {
  Tensor shares(teacher.shape());
  for (int64_t i = 0; i < teacher.size(); ++i)
    shares.data<float>()[i] = static_cast<float>(sigmoid(static_cast<double>(teacher.data<float>()[i]) / temperature));
  return ops::binary_cross_entropy(logits, shares, divisor * static_cast<double>(width()), temperature);
}

Tensor MultiLabel::scores(const Tensor& logits, const PackedBatch& batch) const {
  Tensor scores = Tensor::zeros({batch.sentences(), logits_of + 2 * width()}, DType::f64);
  for (int64_t b = 0; b < batch.sentences(); ++b) {
    if (batch.labels[static_cast<size_t>(b)] < 0) continue;
    double* const to = scores.data<double>() + b * scores.cols();
    to[has_label] = 1;
    for (int64_t c = 0; c < width(); ++c) {
      const auto x = static_cast<double>(logits.data<float>()[b * width() + c]),
                 t = static_cast<double>(batch.values[static_cast<size_t>(b * width() + c)]);
      to[loss_of] += binary_loss(x, t) / static_cast<double>(width());
      to[logits_of + c] = x;
      to[logits_of + width() + c] = t;
    }
  }
  return scores;
}

Metrics MultiLabel::metrics(const Tensor& scores) const {
  const ScoredLabels scored(scores);
  const double micro_f1 = metrics::micro_average(scored.hits()).f1;
  Metrics m{scored.loss(),
            {{metric(), micro_f1},
             {"label_accuracy", scored.label_accuracy()},
             {"exact_match", scored.exact_match()},
             {"micro_f1", micro_f1},
             {"macro_f1", metrics::macro_average(scored.hits()).f1},
             {"weighted_f1", metrics::weighted_average(scored.hits()).f1}}};
  m.add("roc_auc", scored.roc_auc());
  return m;
}

std::vector<Metric> MultiLabel::known_metrics() const {
  return {{metric()},   {"label_accuracy"}, {"exact_match"}, {"micro_f1"},
          {"macro_f1"}, {"weighted_f1"},    {"roc_auc"},     {"loss", true}};
}

ClassReport MultiLabel::report(const Tensor& scores) const {
  const ScoredLabels scored(scores);
  const std::vector<metrics::Hits>& hits = scored.hits();
  ClassReport report{.columns = {"precision", "recall", "f1", "roc_auc", "support"}};
  double support = 0;
  for (size_t c = 0; c < hits.size(); ++c) {
    support += hits[c].labels;
    report.classes.push_back(
        {labels()[c], {hits[c].precision(), hits[c].recall(), hits[c].f1(), scored.roc_auc(c), hits[c].labels}});
  }
  const auto average = [&](const char* name, const metrics::Quality& q, double roc_auc) {
    report.averages.push_back({name, {q.precision, q.recall, q.f1, roc_auc, support}});
  };
  average("macro", metrics::macro_average(hits), scored.roc_auc());
  average("micro", metrics::micro_average(hits), std::nan(""));
  average("weighted", metrics::weighted_average(hits), std::nan(""));
  return report;
}

Answer MultiLabel::answer(const Tensor& logits) const { return answer_by_classes(logits.span<float>(), labels()); }

}  // namespace espalier
