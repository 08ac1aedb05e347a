// SPDX-License-Identifier: Apache-2.0
// Gradient check: compares what backward gives with central differences along random directions, in double precision.
// For tests of new ops, layers and losses.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "core/tape.h"

namespace espalier {

// A differentiable function of Vars, such as an op with its other arguments bound. It must give the same value each
// time: random numbers belong to a fixed seed.
using DifferentiableFunction = std::function<Var(std::span<const Var>)>;

struct GradCheckOptions {
  double tolerance = 1e-6;  // relative error that is accepted
  double step = 1e-5;       // of the central difference; its error is about step^2 + 1e-16 / step
  uint64_t seed = 1;        // of the directions
};

// For each input x, compares <f(…, x + step d, …) - f(…, x - step d, …), r> / (2 step) with <gradient, d>, for random d
// and r. The error is relative to the gradient's norm, which is the size that <gradient, d> has on average, but not to
// less than 1e-4 of the output's norm, so that a gradient of zero may be found. Inputs and output are f64 of any shape.
// Returns the largest relative error; throws Error naming the input and both numbers where it exceeds the tolerance.
double check_gradient(const DifferentiableFunction& f, std::span<const Tensor> inputs,
                      const GradCheckOptions& options = {});

}  // namespace espalier
