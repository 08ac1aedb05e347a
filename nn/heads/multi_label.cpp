// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/multi_label.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"
#include "core/quoted.h"
#include "nn/heads/label_parts.h"
#include "nn/heads/labelled.h"

namespace espalier {
namespace {

// Columns of the scores. whole: every decision is correct.
enum Count { has_label, loss_of, hits, false_alarms, misses, correct, whole, counts };

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// log(1 + e^x) - t x, for a target t of 0 or 1.
double binary_loss(double x, double t) { return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x))) - t * x; }

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

Var MultiLabel::loss(const Var& logits, const PackedBatch& batch, double weight) const {
  const auto [x, targets] = labelled(logits, batch);
  return ops::binary_cross_entropy(x, targets, (weight > 0 ? weight : 1) * static_cast<double>(width()));
}

Var MultiLabel::soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const {
  Tensor shares(teacher.shape());
  for (int64_t i = 0; i < teacher.size(); ++i)
    shares.data<float>()[i] = static_cast<float>(sigmoid(static_cast<double>(teacher.data<float>()[i]) / temperature));
  return ops::binary_cross_entropy(logits, shares, divisor * static_cast<double>(width()), temperature);
}

Tensor MultiLabel::scores(const Tensor& logits, const PackedBatch& batch) const {
  Tensor scores = Tensor::zeros({batch.sentences(), counts}, DType::f64);
  for (int64_t b = 0; b < batch.sentences(); ++b) {
    if (batch.labels[static_cast<size_t>(b)] < 0) continue;
    double* const to = scores.data<double>() + b * counts;
    to[has_label] = 1;
    for (int64_t i = b * width(); i < (b + 1) * width(); ++i) {
      const auto x = static_cast<double>(logits.data<float>()[i]),
                 t = static_cast<double>(batch.values[static_cast<size_t>(i)]);
      const bool chosen = x > 0, wanted = t > 0;
      to[loss_of] += binary_loss(x, t) / static_cast<double>(width());
      to[chosen && wanted ? hits : chosen ? false_alarms : wanted ? misses : correct] += 1;
    }
    to[correct] += to[hits];
    to[whole] = to[correct] == static_cast<double>(width()) ? 1 : 0;
  }
  return scores;
}

Metrics MultiLabel::metrics(const Tensor& scores) const {
  std::vector<double> sums(counts);
  for (int64_t i = 0; i < scores.size(); ++i) sums[static_cast<size_t>(i % counts)] += scores.data<double>()[i];
  const double count = sums[has_label], found = 2 * sums[hits], all = found + sums[false_alarms] + sums[misses];
  CHECK(count > 0, "multi-label: no sentence has a label; expected some for loss and F1");
  return {sums[loss_of] / count,
          {{metric(), all > 0 ? found / all : 0},
           {"label_accuracy", sums[correct] / count / static_cast<double>(width())},
           {"exact_match", sums[whole] / count}}};
}

Answer MultiLabel::answer(const Tensor& logits) const { return answer_by_classes(logits.span<float>(), labels()); }

}  // namespace espalier
