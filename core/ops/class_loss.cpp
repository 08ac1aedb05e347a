// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "core/ops.h"

namespace espalier::ops {

void ClassLoss::check(const char* op, int64_t classes, double divisor) const {
  CHECK(divisor > 0, op, ": divisor ", divisor, " is not positive");
  CHECK(smoothing >= 0 && smoothing < 1, op, ": label smoothing ", smoothing, "; expected a share below 1");
  CHECK(gamma >= 0 && std::isfinite(gamma), op, ": gamma ", gamma, "; expected 0 or a positive number");
  CHECK(weights.empty() || std::ssize(weights) == classes, op, ": ", weights.size(), " weights for ", classes,
        " classes");
  CHECK(std::ranges::all_of(weights, [](double w) { return w >= 0 && std::isfinite(w); }), op,
        ": a class weight is negative or not a number");
}

}  // namespace espalier::ops
