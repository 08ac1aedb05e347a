// SPDX-License-Identifier: Apache-2.0
// Seconds of work, medians and percentiles of them: single measurements are disturbed by what else the machine does.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <vector>

namespace espalier {

class Stopwatch {  // runs from its making
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// Seconds of f(), once.
template <class F>
double seconds_of(const F& f) {
  const Stopwatch watch;
  f();
  return watch.seconds();
}

inline double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size() / 2), values.end());
  return values.at(values.size() / 2);
}

// The smallest of the values that `percent` % of them do not exceed; percent in (0, 100].
inline double percentile(std::vector<double> values, double percent) {
  const auto rank = static_cast<int64_t>(std::ceil(0.01 * percent * static_cast<double>(values.size())));
  const int64_t place = std::clamp<int64_t>(rank - 1, 0, std::ssize(values) - 1);
  std::nth_element(values.begin(), values.begin() + place, values.end());
  return values.at(static_cast<size_t>(place));
}

// Median seconds of f() over `repeats` runs after one that is not counted.
template <class F>
double median_seconds(int64_t repeats, const F& f) {
  f();
  std::vector<double> times;
  for (int64_t i = 0; i < repeats; ++i) times.push_back(seconds_of(f));
  return median(times);
}

}  // namespace espalier
