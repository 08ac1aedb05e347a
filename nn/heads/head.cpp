// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/head.h"

#include "core/check.h"

namespace espalier {

Var Head::soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const {
  return ops::soft_cross_entropy(logits, teacher, temperature, divisor);
}

void Head::set_loss(const ops::ClassLoss& loss) {
  if (loss.plain()) return;
  fail(!loss.weights.empty() ? "--class-weights"
       : loss.smoothing != 0 ? "--label-smoothing"
                             : "--focal-gamma",
       ": this model's task, with ", parts(), ", has no classes; leave the option out, or train a classifier");
}

}  // namespace espalier
