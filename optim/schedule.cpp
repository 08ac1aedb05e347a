// SPDX-License-Identifier: Apache-2.0
#include "optim/schedule.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"

namespace espalier {

double Schedule::rate(int64_t step) const {
  if (step < warmup) return peak * static_cast<double>(step) / static_cast<double>(warmup);
  const double done = static_cast<double>(step - warmup) / static_cast<double>(std::max<int64_t>(1, total - warmup));
  if (kind == Decay::constant) return peak;
  if (kind == Decay::cosine) return peak * 0.5 * (1 + std::cos(3.141592653589793 * std::min(1.0, done)));
  return peak * std::max(0.0, 1 - done);
}

void Schedule::check() const {
  CHECK(std::isfinite(peak) && peak > 0, "schedule: a learning rate of ", peak, "; a positive number is expected");
  CHECK(warmup >= 0 && total >= 1, "schedule: ", warmup, " warm-up steps of ", total);
}

}  // namespace espalier
