// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/head.h"

namespace espalier {

Var Head::soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const {
  return ops::soft_cross_entropy(logits, teacher, temperature, divisor);
}

}  // namespace espalier
