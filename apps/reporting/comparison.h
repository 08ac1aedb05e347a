// SPDX-License-Identifier: Apache-2.0
// Models against each other, on the same sentences: what differs from the first one, where they disagree, and which
// classes each one confuses.
#pragma once

#include <optional>
#include <vector>

#include "apps/reporting/figures.h"

namespace espalier {

// Of a model from another one.
struct Difference {
  double smaller = 0, faster = 0, faster_one_by_one = 0;  // how many times
  double quality = 0;                                     // of the metric
  Interval interval;                                      // 95 %, of the paired bootstrap
  // Of answers that are classes: how many differ, how many of them are right by this model alone, and by the other
  // alone, and McNemar's test on those.
  struct Changes {
    int64_t answers = 0, mended = 0, broken = 0;
    double p_value = 1;
  };
  std::optional<Changes> changes;
  std::optional<double> distance;  // of answers that are numbers: mean absolute difference
};
Difference difference(const ModelFigures& model, const ModelFigures& from);

// A sentence that not all models answer alike, and how far their probabilities or numbers are apart.
struct Disagreement {
  int64_t sentence = 0;
  double spread = 0;
};
// All of them, those farthest apart first. Answers that are numbers are alike where their text is.
std::vector<Disagreement> disagreements(const std::vector<ModelFigures>& models);

// How often class `wanted` was answered with class `answered`. Empty where answers are not one class each.
struct Confusion {
  std::vector<std::vector<int64_t>> counts;  // [wanted][answered]
};
Confusion confusion_of(const ModelFigures& model);

struct Mistake {
  size_t wanted = 0, answered = 0;  // different classes
  int64_t count = 0;                // > 0
};
std::vector<Mistake> most_frequent_mistakes(const Confusion& confusion, size_t most);

// For answers of any number of classes: per class. Empty for others.
struct ClassCounts {
  std::string name;
  int64_t hits = 0, false_alarms = 0, misses = 0, rest = 0;
};
std::vector<ClassCounts> class_counts_of(const ModelFigures& model);

}  // namespace espalier
