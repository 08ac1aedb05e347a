// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/answer.h"

#include <algorithm>
#include <cmath>

#include "core/format.h"

namespace espalier {

Answer answer_by_class(std::span<const float> logits, const std::vector<std::string>& labels) {
  const auto best = std::max_element(logits.begin(), logits.end());
  const double largest = *best;
  std::vector<double> p;
  double sum = 0;
  for (const float logit : logits) sum += p.emplace_back(std::exp(logit - largest));
  for (double& v : p) v /= sum;
  const auto i = static_cast<size_t>(best - logits.begin());
  return {labels[i], p[i], p};
}

Answer answer_by_classes(std::span<const float> logits, const std::vector<std::string>& labels) {
  Answer answer{.chosen = std::vector<std::string>()};
  for (size_t c = 0; c < labels.size(); ++c) {
    answer.probabilities.push_back(1 / (1 + std::exp(-static_cast<double>(logits[c]))));
    if (answer.probabilities.back() <= 0.5) continue;
    answer.chosen->push_back(labels[c]);
    answer.label += (answer.label.empty() ? "" : ", ") + labels[c];
  }
  return answer;
}

Answer answer_by_numbers(std::span<const float> logits, const std::vector<std::string>& /*labels*/) {
  Answer answer;
  for (const float value : logits) {
    answer.values.push_back(static_cast<double>(value));
    answer.label += (answer.label.empty() ? "" : ", ") + format("%.4f", static_cast<double>(value));
  }
  return answer;
}

AnswerOf answer_of_task(const std::string& task) {
  if (task == "classification") return answer_by_class;
  if (task == "multi-label") return answer_by_classes;
  return task == "regression" ? answer_by_numbers : nullptr;
}

}  // namespace espalier
