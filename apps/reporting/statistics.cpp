// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/statistics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "apps/training/timing.h"
#include "core/rng.h"

namespace espalier {

Interval wilson_interval(int64_t successes, int64_t trials) {
  constexpr double z = 1.959963984540054;  // of 95 %
  const auto n = static_cast<double>(trials);
  const double p = static_cast<double>(successes) / n, scale = 1 / (1 + z * z / n), middle = p + z * z / (2 * n),
               half = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return {std::max(0.0, scale * (middle - half)), std::min(1.0, scale * (middle + half))};
}

double mcnemar_p_value(int64_t first, int64_t second) {
  const auto n = static_cast<double>(first + second);
  double tail = 0;
  for (int64_t i = 0; i <= std::min(first, second); ++i) {
    const auto k = static_cast<double>(i);
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) - n * std::log(2));
  }
  return std::min(1.0, 2 * tail);
}

std::vector<double> bootstrap(int64_t count, int resamples, uint64_t seed,
                              const std::function<double(std::span<const int64_t> rows)>& statistic) {
  std::vector<double> values;
  std::vector<int64_t> rows(static_cast<size_t>(count));
  for (int i = 0; i < resamples; ++i) {
    Rng random(seed, static_cast<uint64_t>(i));
    for (int64_t& row : rows)
      row = static_cast<int64_t>(random.next() * static_cast<uint64_t>(count) >> 32U);  // count is below 2^32
    values.push_back(statistic(rows));
  }
  return values;
}

Interval percentile_interval(std::vector<double> values) {
  constexpr double none = std::numeric_limits<double>::quiet_NaN();
  if (values.empty() || std::ranges::any_of(values, [](double v) { return std::isnan(v); })) return {none, none};
  return {percentile(values, 2.5), percentile(values, 97.5)};
}

std::vector<size_t> pareto_front(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<size_t> front;
  for (size_t i = 0; i < a.size(); ++i) {
    bool beaten = false;
    for (size_t j = 0; j < a.size(); ++j) beaten |= a[j] >= a[i] && b[j] >= b[i] && (a[j] > a[i] || b[j] > b[i]);
    if (!beaten) front.push_back(i);
  }
  return front;
}

}  // namespace espalier
