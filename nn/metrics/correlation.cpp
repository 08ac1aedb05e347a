// SPDX-License-Identifier: Apache-2.0
#include "nn/metrics/correlation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace espalier::metrics {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

bool numbers(std::span<const double> values) {
  return std::ranges::none_of(values, [](double v) { return std::isnan(v); });
}
bool varies(std::span<const double> values) {
  return numbers(values) && std::ranges::any_of(values, [&](double v) { return v != values.front(); });
}
double mean(std::span<const double> values) {
  double sum = 0;
  for (const double v : values) sum += v / static_cast<double>(values.size());
  return sum;
}

}  // namespace

std::vector<double> ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, {}, [&](size_t i) { return values[i]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + end + 1) / 2;
  }
  return ranks;
}

double pearson(std::span<const double> a, std::span<const double> b) {
  if (!varies(a) || !varies(b)) return undefined;
  const double mean_a = mean(a), mean_b = mean(b);
  double aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double x = a[i] - mean_a, y = b[i] - mean_b;
    aa += x * x, bb += y * y, ab += x * y;
  }
  return aa > 0 && bb > 0 ? std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0) : undefined;
}

double spearman(std::span<const double> a, std::span<const double> b) {
  return varies(a) && varies(b) ? pearson(ranks(a), ranks(b)) : undefined;
}

double r2(std::span<const double> predictions, std::span<const double> targets) {
  if (!varies(targets) || !numbers(predictions)) return undefined;
  const double middle = mean(targets);
  double left = 0, all = 0;
  for (size_t i = 0; i < targets.size(); ++i) {
    left += (targets[i] - predictions[i]) * (targets[i] - predictions[i]);
    all += (targets[i] - middle) * (targets[i] - middle);
  }
  return all > 0 ? 1 - left / all : undefined;
}

double roc_auc(std::span<const double> scores, const std::vector<bool>& labels) {
  const auto yes = static_cast<double>(std::ranges::count(labels, true)), no = static_cast<double>(labels.size()) - yes;
  if (yes == 0 || no == 0 || !numbers(scores)) return undefined;
  const std::vector<double> rank = ranks(scores);
  double sum = 0;
  for (size_t i = 0; i < rank.size(); ++i) sum += labels[i] ? rank[i] : 0;
  return (sum - yes * (yes + 1) / 2) / (yes * no);
}

double mean_of_defined(std::span<const double> values) {
  double sum = 0, count = 0;
  for (const double v : values)
    if (!std::isnan(v)) sum += v, ++count;
  return count > 0 ? sum / count : undefined;
}

}  // namespace espalier::metrics
