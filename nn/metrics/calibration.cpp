// SPDX-License-Identifier: Apache-2.0
#include "nn/metrics/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace espalier::metrics {

double calibration_error(std::span<const double> confidences, const std::vector<bool>& right) {
  constexpr size_t bins = 15;
  std::array<double, bins> surplus = {};  // sum of confidences minus number of right answers
  for (size_t i = 0; i < confidences.size(); ++i) {
    const double place = std::ceil(confidences[i] * static_cast<double>(bins)) - 1;
    if (std::isnan(place)) return place;
    surplus[static_cast<size_t>(std::clamp(place, 0.0, static_cast<double>(bins - 1)))] +=
        confidences[i] - (right[i] ? 1 : 0);
  }
  double error = 0;
  for (const double s : surplus) error += std::abs(s) / static_cast<double>(confidences.size());
  return error;
}

}  // namespace espalier::metrics
