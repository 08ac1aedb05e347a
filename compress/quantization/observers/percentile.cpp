// SPDX-License-Identifier: Apache-2.0
// The range that leaves out a ten-thousandth of what was seen at either end.
#include <numeric>

#include "compress/quantization/observers/histogram.h"

namespace espalier {
namespace {

class Percentile : public Histogram {
 public:
  Range range() const override {
    constexpr double left_out = 1e-4;
    if (seen().least > seen().most) return seen();
    const auto c = counts();
    const double total = std::accumulate(c.begin(), c.end(), 0.0);
    int64_t first = 0, last = bins - 1;
    for (double sum = c[0]; first < last && sum <= left_out * total; sum += c[static_cast<size_t>(first)]) ++first;
    for (double sum = c[bins - 1]; last > first && sum <= left_out * total; sum += c[static_cast<size_t>(last)]) --last;
    return {edge(first), edge(last + 1)};
  }
};

}  // namespace

std::unique_ptr<Observer> percentile_observer() { return std::make_unique<Percentile>(); }

}  // namespace espalier
