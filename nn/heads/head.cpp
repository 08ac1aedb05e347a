// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/head.h"

#include "core/check.h"

namespace espalier {

Var Head::soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const {
  return ops::soft_cross_entropy(logits, teacher, temperature, divisor);
}

void Head::set_loss(const TaskLoss& loss) {
  const char* const option = !loss.class_weights.empty() ? "--class-weights"
                             : loss.label_smoothing != 0 ? "--label-smoothing"
                             : loss.focal_gamma != 0     ? "--focal-gamma"
                                                         : nullptr;
  CHECK(option == nullptr, option, ": the loss of this model's task, ", parts(),
        ", has no classes to weigh; leave the option out, or train a classifier");
}

}  // namespace espalier
