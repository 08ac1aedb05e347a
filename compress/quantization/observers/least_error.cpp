// SPDX-License-Identifier: Apache-2.0
// The range in which 2^bits integers stand for what was seen with the least squared error.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "compress/quantization/observers/histogram.h"

namespace espalier {
namespace {

class LeastError : public Histogram {
 public:
  explicit LeastError(int bits) : points_(1 << bits) {}

  // From the whole range, the end that holds less of the mass moves inwards by a hundred-thousandth of it at a time, as
  // long as the error falls.
  Range range() const override {
    if (seen().least > seen().most) return seen();
    const auto c = counts();
    std::vector<double> sums(c.size());
    std::partial_sum(c.begin(), c.end(), sums.begin());
    const double total = sums.back();
    constexpr double step = 1e-5;
    double low = 0, high = 1, best = std::numeric_limits<double>::infinity();
    int64_t first = 0, last = bins - 1;
    while (low < high) {
      int64_t l = first, r = last;
      while (l < last && sums[static_cast<size_t>(l)] < (low + step) * total) ++l;
      while (r > first && sums[static_cast<size_t>(r)] > (high - step) * total) --r;
      int64_t next_first = first, next_last = last;
      if (l - first > last - r) {
        next_first = l;
        low += step;
      } else {
        next_last = r;
        high -= step;
      }
      if (next_first == first && next_last == last) continue;
      const double e = error(next_first, next_last);
      if (e > best) break;
      best = e;
      first = next_first;
      last = next_last;
    }
    return {edge(first), edge(last + 1)};
  }

 private:
  // Integral of the squared error when the bins first … last are covered by points_ integers; each bin's mass is spread
  // evenly over it.
  double error(int64_t first, int64_t last) const {
    const double bin = width(), cell = bin * static_cast<double>(last - first + 1) / points_;
    if (cell == 0) return 0;
    const auto cubes = [](double from, double to) { return (to * to * to - from * from * from) / 3; };
    double sum = 0;
    for (int64_t b = 0; b < bins; ++b) {
      const double begin = static_cast<double>(b - first) * bin, end = begin + bin;
      const auto cell_of = [&](double v) { return std::clamp(std::floor(v / cell), 0.0, points_ - 1.0); };
      const double from = cell_of(begin), to = cell_of(end);
      sum += counts()[static_cast<size_t>(b)] / bin *
             (cubes(begin - (from + 0.5) * cell, cell / 2) + (to - from - 1) * cubes(-cell / 2, cell / 2) +
              cubes(-cell / 2, end - (to + 0.5) * cell));
    }
    return sum;
  }

  double points_;
};

}  // namespace

std::unique_ptr<Observer> least_error_observer(int bits) { return std::make_unique<LeastError>(bits); }

}  // namespace espalier
