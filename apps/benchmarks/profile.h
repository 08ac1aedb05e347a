// SPDX-License-Identifier: Apache-2.0
// The table of `bench train --profile`: each op's time and work, and the step's distance from what this machine can do,
// measured on the spot.
#pragma once

#include "apps/benchmarks/benchmarks.h"
#include "core/dtype.h"
#include "core/profile.h"

namespace espalier {

// What bounds a step: the rate of hot products, all threads, and the rate of one pass that reads four arrays and writes
// three.
struct MachineLimits {
  double flop_per_second = 0, bytes_per_second = 0;
};
MachineLimits measure_limits(DType compute);
double product_rate(DType compute);  // the first alone, f32 or bf16

// Rates of the profile's ops against the limits; `steps` steps, the optimizer's bytes among the op named "adamw".
void print_profile(const Profile& profile, int64_t steps, const MachineLimits& limits, const CommonOptions& common);

}  // namespace espalier
