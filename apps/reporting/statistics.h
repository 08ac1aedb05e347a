// SPDX-License-Identifier: Apache-2.0
// How sure a figure is: intervals, the test of a difference, percentiles, and which models no other one beats.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace espalier {

struct Interval {
  double low = 0, high = 0;
};

// The 95 % interval of a share of which `successes` of `trials` > 0 are there (Wilson, "Probable inference, the law of
// succession, and statistical inference", JASA 1927).
Interval wilson_interval(int64_t successes, int64_t trials);

// Two-sided p-value of McNemar's exact test ("Note on the sampling error of the difference between correlated
// proportions", Psychometrika 1947): two models have the same accuracy on the same sentences, of which `first` are
// right by the one model alone and `second` by the other alone.
double mcnemar_p_value(int64_t first, int64_t second);

// The statistic of `resamples` samples of `count` rows, each drawn from the rows 0 … count - 1 with replacement. The
// seed decides the rows, so that two models are seen on the same ones (Efron, "Bootstrap methods", 1979).
std::vector<double> bootstrap(int64_t count, int resamples, uint64_t seed,
                              const std::function<double(std::span<const int64_t> rows)>& statistic);
// From the percentiles 2.5 to 97.5 of what bootstrap() gave. NaN without any.
Interval percentile_interval(std::vector<double> values);

// Indices of the models that no other one beats: none is as good in both and better in one. More is better.
std::vector<size_t> pareto_front(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace espalier
