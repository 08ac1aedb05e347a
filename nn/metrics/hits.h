// SPDX-License-Identifier: Apache-2.0
// What is counted of each class: precision, recall, F1, their averages over classes, and Matthews' correlation. Used by
// the heads. All are as scikit-learn defines them: 0 where a quotient would divide by 0.
#pragma once

#include <span>
#include <vector>

namespace espalier::metrics {

// Of one class: sentences where label and answer are the class; where the answer is; where the label is.
struct Hits {
  double hits = 0, answers = 0, labels = 0;

  void add(bool label, bool answer) { hits += label && answer, answers += answer, labels += label; }
  bool occurs() const { return answers + labels > 0; }
  double precision() const { return answers > 0 ? hits / answers : 0; }
  double recall() const { return labels > 0 ? hits / labels : 0; }
  double f1() const { return occurs() ? 2 * hits / (answers + labels) : 0; }  // their harmonic mean
};

struct Quality {
  double precision = 0, recall = 0, f1 = 0;
};

Quality macro_average(std::span<const Hits> classes);     // the mean over classes
Quality micro_average(std::span<const Hits> classes);     // of the sums over classes
Quality weighted_average(std::span<const Hits> classes);  // the mean over sentences, each with its label's value
std::vector<Hits> occurring(std::span<const Hits> classes);

// Matthews' correlation of labels and answers, for any number of classes of which each sentence has one (Gorodkin
// 2004).
double matthews(std::span<const Hits> classes);

}  // namespace espalier::metrics
