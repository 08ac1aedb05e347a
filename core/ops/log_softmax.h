// SPDX-License-Identifier: Apache-2.0
// log softmax of one row, for the losses in core/ops.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace espalier::ops {

// y[i] = log softmax(x / temperature)[i] for i < n; y may be x.
template <class T, class Y>
void log_softmax(const T* x, int64_t n, double temperature, Y* y) {
  const T largest = *std::max_element(x, x + n);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(static_cast<double>(x[i] - largest) / temperature);
  const double log_sum = std::log(sum);
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<Y>(static_cast<double>(x[i] - largest) / temperature - log_sum);
}

}  // namespace espalier::ops
