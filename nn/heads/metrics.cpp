// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace espalier {

bool Metric::better(double value, double than) const {
  if (std::isnan(value) || std::isnan(than)) return !std::isnan(value);
  return lower_is_better ? value < than : value > than;
}

double Metrics::at(const std::string& name) const {
  if (name == "loss") return loss;
  const auto found = std::ranges::find(values, name, &Value::name);
  return found != values.end() ? found->value : std::numeric_limits<double>::quiet_NaN();
}

void Metrics::add(const std::string& name, double value) {
  if (!std::isnan(value)) values.push_back({name, value});
}

}  // namespace espalier
