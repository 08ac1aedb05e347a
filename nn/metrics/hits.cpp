// SPDX-License-Identifier: Apache-2.0
#include "nn/metrics/hits.h"

#include <algorithm>
#include <cmath>
#include <iterator>

namespace espalier::metrics {
namespace {

// Each class's values times weight(class), divided by the sum of these weights.
template <class Weight>
Quality average(std::span<const Hits> classes, const Weight& weight) {
  Quality sum;
  double all = 0;
  for (const Hits& c : classes) {
    const double w = weight(c);
    sum.precision += w * c.precision(), sum.recall += w * c.recall(), sum.f1 += w * c.f1(), all += w;
  }
  if (all == 0) return {};
  return {sum.precision / all, sum.recall / all, sum.f1 / all};
}

}  // namespace

Quality macro_average(std::span<const Hits> classes) {
  return average(classes, [](const Hits&) { return 1.0; });
}

Quality micro_average(std::span<const Hits> classes) {
  Hits sum;
  for (const Hits& c : classes) sum.hits += c.hits, sum.answers += c.answers, sum.labels += c.labels;
  return {sum.precision(), sum.recall(), sum.f1()};
}

Quality weighted_average(std::span<const Hits> classes) {
  return average(classes, [](const Hits& c) { return c.labels; });
}

std::vector<Hits> occurring(std::span<const Hits> classes) {
  std::vector<Hits> some;
  std::ranges::copy_if(classes, std::back_inserter(some), &Hits::occurs);
  return some;
}

double matthews(std::span<const Hits> classes) {
  double correct = 0, all = 0, both = 0, labels = 0, answers = 0;
  for (const Hits& c : classes) {
    correct += c.hits, all += c.labels;
    both += c.labels * c.answers, labels += c.labels * c.labels, answers += c.answers * c.answers;
  }
  const double vary = (all * all - labels) * (all * all - answers);
  return vary > 0 ? (correct * all - both) / std::sqrt(vary) : 0;
}

}  // namespace espalier::metrics
