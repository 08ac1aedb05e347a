// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/comparison.h"

#include <algorithm>
#include <cmath>

namespace espalier {
namespace {

bool are_numbers(const ModelFigures& m) { return !m.answers.empty() && m.answers.front().probabilities.empty(); }
bool are_sets(const ModelFigures& m) { return !m.answers.empty() && m.answers.front().chosen.has_value(); }

double mean_distance(const ModelFigures& a, const ModelFigures& b) {
  double sum = 0, count = 0;
  for (size_t i = 0; i < a.answers.size(); ++i)
    for (size_t c = 0; c < a.answers[i].values.size(); ++c, ++count)
      sum += std::abs(a.answers[i].values[c] - b.answers[i].values.at(c));
  return sum / std::max(1.0, count);
}

Difference::Changes changes_of(const ModelFigures& model, const ModelFigures& from) {
  Difference::Changes changes;
  for (size_t i = 0; i < model.answers.size(); ++i) {
    const bool right = model.answers[i].label == model.wanted[i], was_right = from.answers[i].label == from.wanted[i];
    changes.answers += model.answers[i].label != from.answers[i].label ? 1 : 0;
    changes.mended += right && !was_right ? 1 : 0;
    changes.broken += !right && was_right ? 1 : 0;
  }
  changes.p_value = mcnemar_p_value(changes.mended, changes.broken);
  return changes;
}

// The largest distance between two models, of any probability or number.
double spread_of(const std::vector<ModelFigures>& models, size_t sentence) {
  double spread = 0;
  const auto numbers = [&](const ModelFigures& m) -> const std::vector<double>& {
    const Answer& a = m.answers[sentence];
    return a.probabilities.empty() ? a.values : a.probabilities;
  };
  for (size_t c = 0; c < numbers(models.front()).size(); ++c) {
    double low = INFINITY, high = -INFINITY;
    for (const ModelFigures& m : models) {
      if (c >= numbers(m).size()) continue;
      low = std::min(low, numbers(m)[c]);
      high = std::max(high, numbers(m)[c]);
    }
    spread = std::max(spread, high - low);
  }
  return spread;
}

}  // namespace

Difference difference(const ModelFigures& model, const ModelFigures& from) {
  Difference d;
  d.smaller = model.bytes > 0 ? static_cast<double>(from.bytes) / static_cast<double>(model.bytes) : 0;
  d.faster = model.sentences_per_second() / from.sentences_per_second();
  d.faster_one_by_one = model.one_by_one_per_second() / from.one_by_one_per_second();
  d.quality = model.quality() - from.quality();
  std::vector<double> differences;
  for (size_t i = 0; i < model.resampled.size(); ++i) differences.push_back(model.resampled[i] - from.resampled.at(i));
  d.interval = percentile_interval(differences);
  if (are_numbers(model))
    d.distance = mean_distance(model, from);
  else if (!model.answers.empty())
    d.changes = changes_of(model, from);
  return d;
}

std::vector<Disagreement> disagreements(const std::vector<ModelFigures>& models) {
  std::vector<Disagreement> all;
  for (size_t i = 0; i < models.front().answers.size(); ++i) {
    const auto differs = [&](const ModelFigures& m) { return m.answers[i].label != models.front().answers[i].label; };
    if (std::ranges::any_of(models, differs)) all.push_back({static_cast<int64_t>(i), spread_of(models, i)});
  }
  std::ranges::stable_sort(all, std::greater(), &Disagreement::spread);
  return all;
}

Confusion confusion_of(const ModelFigures& model) {
  if (model.answers.empty() || are_numbers(model) || are_sets(model)) return {};
  const auto number = [&](const std::string& name) {
    return static_cast<size_t>(std::ranges::find(model.classes, name) - model.classes.begin());
  };
  Confusion confusion{{model.classes.size(), std::vector<int64_t>(model.classes.size())}};
  for (size_t i = 0; i < model.answers.size(); ++i)
    if (!model.wanted[i].empty()) ++confusion.counts[number(model.wanted[i])][number(model.answers[i].label)];
  return confusion;
}

std::vector<Mistake> most_frequent_mistakes(const Confusion& confusion, size_t most) {
  std::vector<Mistake> all;
  for (size_t wanted = 0; wanted < confusion.counts.size(); ++wanted)
    for (size_t answered = 0; answered < confusion.counts.size(); ++answered)
      if (const int64_t count = confusion.counts[wanted][answered]; wanted != answered && count > 0)
        all.push_back({wanted, answered, count});
  std::ranges::stable_sort(all, std::greater(), &Mistake::count);
  all.resize(std::min(all.size(), most));
  return all;
}

std::vector<ClassCounts> class_counts_of(const ModelFigures& model) {
  std::vector<ClassCounts> all;
  if (!are_sets(model)) return all;
  for (size_t c = 0; c < model.classes.size(); ++c) {
    ClassCounts counts{model.classes[c]};
    for (size_t i = 0; i < model.answers.size(); ++i) {
      const bool chosen = model.answers[i].probabilities[c] > 0.5, wanted = model.wanted_values[i][c] > 0;
      ++(chosen && wanted ? counts.hits : chosen ? counts.false_alarms : wanted ? counts.misses : counts.rest);
    }
    all.push_back(counts);
  }
  return all;
}

}  // namespace espalier
