// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/classification.h"

#include <algorithm>
#include <cmath>

#include "core/ops/log_softmax.h"
#include "nn/metrics/calibration.h"
#include "nn/metrics/correlation.h"
#include "nn/metrics/hits.h"

namespace espalier {
namespace {

// Columns of the scores: the first is the label's log probability; behind the others are the probabilities of all
// classes.
enum ClassColumn { log_probability, predicted, label, probabilities };

int64_t argmax(std::span<const float> logits) { return std::ranges::max_element(logits) - logits.begin(); }

// The scores of the sentences with a label.
class ScoredClasses {
 public:
  explicit ScoredClasses(const Tensor& scores) : classes_(static_cast<size_t>(scores.cols() - probabilities)) {
    for (int64_t i = 0; i < scores.rows(); ++i) {
      const std::span<const double> row(scores.data<double>() + i * scores.cols(), static_cast<size_t>(scores.cols()));
      if (row[label] >= 0) rows_.push_back(row);
    }
    CHECK(!rows_.empty(), "classification: no sentence has a label; expected some for loss and accuracy");
  }

  double sentences() const { return static_cast<double>(rows_.size()); }
  double loss() const {
    double loss = 0;
    for (const auto& row : rows_) loss -= row[log_probability] / sentences();
    return loss;
  }
  std::vector<metrics::Hits> hits() const {
    std::vector<metrics::Hits> hits(classes_);
    for (const auto& row : rows_)
      for (size_t c = 0; c < classes_; ++c)
        hits[c].add(row[label] == static_cast<double>(c), row[predicted] == static_cast<double>(c));
    return hits;
  }
  std::vector<std::vector<int64_t>> confusion() const {
    std::vector<std::vector<int64_t>> counts(classes_, std::vector<int64_t>(classes_));
    for (const auto& row : rows_) ++counts[static_cast<size_t>(row[label])][static_cast<size_t>(row[predicted])];
    return counts;
  }
  // Of one class against all others.
  double roc_auc(size_t c) const {
    std::vector<double> scores;
    std::vector<bool> labels;
    for (const auto& row : rows_) {
      scores.push_back(row[probabilities + c]);
      labels.push_back(row[label] == static_cast<double>(c));
    }
    return metrics::roc_auc(scores, labels);
  }
  // Of the second of two classes; else the mean over the classes that some sentences have and others have not.
  double roc_auc() const {
    if (classes_ == 2) return roc_auc(1);
    std::vector<double> areas;
    for (size_t c = 0; c < classes_; ++c) areas.push_back(roc_auc(c));
    return metrics::mean_of_defined(areas);
  }
  double calibration_error() const {
    std::vector<double> confidences;
    std::vector<bool> right;
    for (const auto& row : rows_) {
      confidences.push_back(row[probabilities + static_cast<size_t>(row[predicted])]);
      right.push_back(row[predicted] == row[label]);
    }
    return metrics::calibration_error(confidences, right);
  }

 private:
  std::vector<std::span<const double>> rows_;
  size_t classes_;
};

}  // namespace

Var Classification::loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const {
  const double divisor = weight.labels > 0 ? weight.labels : 1;
  return loss_.plain() ? ops::cross_entropy(logits, batch.labels, divisor)
                       : ops::weighted_cross_entropy(logits, batch.labels, loss_, divisor);
}

LossWeight Classification::weight(const PackedBatch& batch) const {
  double sum = 0;
  for (const int32_t label : batch.labels) sum += label >= 0 ? loss_.weight(label) : 0;
  return sum;
}

// A log probability is computed by itself: it never underflows, whatever lies between the logits.
Tensor Classification::scores(const Tensor& logits, const PackedBatch& batch) const {
  Tensor scores({batch.sentences(), probabilities + width()}, DType::f64);
  for (int64_t b = 0; b < batch.sentences(); ++b) {
    const auto row = logits.span<float>().subspan(static_cast<size_t>(b * width()), labels().size());
    const int32_t wanted = batch.labels[static_cast<size_t>(b)];
    double* const to = scores.data<double>() + b * scores.cols();
    ops::log_softmax(row.data(), width(), 1.0, to + probabilities);
    to[log_probability] = wanted < 0 ? 0 : to[probabilities + wanted];
    to[predicted] = static_cast<double>(argmax(row));
    to[label] = wanted;
    for (double& p : std::span(to + probabilities, labels().size())) p = std::exp(p);
  }
  return scores;
}

Metrics Classification::metrics(const Tensor& scores) const {
  const ScoredClasses scored(scores);
  const std::vector<metrics::Hits> all = scored.hits(), hits = metrics::occurring(all);
  const metrics::Quality macro = metrics::macro_average(hits), micro = metrics::micro_average(hits);
  Metrics m{scored.loss(),
            {{metric(), micro.f1},
             {"macro_f1", macro.f1},
             {"micro_f1", micro.f1},
             {"weighted_f1", metrics::weighted_average(hits).f1},
             {"macro_precision", macro.precision},
             {"macro_recall", macro.recall}}};
  if (width() == 2)
    m.values.insert(m.values.end(),
                    {{"f1", all[1].f1()}, {"precision", all[1].precision()}, {"recall", all[1].recall()}});
  m.add("matthews", metrics::matthews(all));
  m.add("roc_auc", scored.roc_auc());
  m.add("calibration_error", scored.calibration_error());
  return m;
}

std::vector<Metric> Classification::known_metrics() const {
  std::vector<Metric> known = {{metric()},      {"macro_f1"},        {"micro_f1"},
                               {"weighted_f1"}, {"macro_precision"}, {"macro_recall"}};
  if (width() == 2) known.insert(known.end(), {{"f1"}, {"precision"}, {"recall"}});
  known.insert(known.end(), {{"matthews"}, {"roc_auc"}, {"calibration_error", true}, {"loss", true}});
  return known;
}

ClassReport Classification::report(const Tensor& scores) const {
  const ScoredClasses scored(scores);
  const std::vector<metrics::Hits> hits = scored.hits(), some = metrics::occurring(hits);
  ClassReport report{.columns = {"precision", "recall", "f1", "support"}, .confusion = scored.confusion()};
  const auto row = [](const std::string& name, const metrics::Quality& q, double support) {
    return ClassReport::Row{name, {q.precision, q.recall, q.f1, support}};
  };
  for (size_t c = 0; c < hits.size(); ++c)
    report.classes.push_back(row(labels()[c], {hits[c].precision(), hits[c].recall(), hits[c].f1()}, hits[c].labels));
  report.averages = {row("macro", metrics::macro_average(some), scored.sentences()),
                     row("micro", metrics::micro_average(some), scored.sentences()),
                     row("weighted", metrics::weighted_average(some), scored.sentences())};
  return report;
}

Answer Classification::answer(const Tensor& logits) const { return answer_by_class(logits.span<float>(), labels()); }

}  // namespace espalier
