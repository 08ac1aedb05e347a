// SPDX-License-Identifier: Apache-2.0
// The focal loss of one probability (Lin et al. 2017, arXiv:1708.02002), for the losses in core/ops that weigh classes.
// With gamma 0 it is -log p.
#pragma once

#include <cmath>

namespace espalier::ops {

// Of the probability p, given by its logarithm: loss = -(1 - p)^gamma log p, and slope = p times its derivative by p,
// gamma p (1 - p)^(gamma - 1) log p - (1 - p)^gamma.
struct Focal {
  double loss, slope;

  Focal(double log_p, double gamma) : loss(-log_p), slope(-1) {
    if (gamma == 0) return;
    const double rest = -std::expm1(log_p), factor = std::pow(rest, gamma);  // rest = 1 - p
    loss *= factor;
    slope = rest > 0 ? gamma * std::exp(log_p) * factor / rest * log_p - factor : 0;
  }
};

}  // namespace espalier::ops
