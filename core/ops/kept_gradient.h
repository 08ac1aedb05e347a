// SPDX-License-Identifier: Apache-2.0
// What losses share that compute their gradient in the forward pass. Used by the ops that weigh classes.
#pragma once

#include "core/ops.h"

namespace espalier::ops {

// y[1] = total / divisor, of x's type T; gx = gradient gy / divisor, where gradient is that of total, in x's shape.
template <class T>
Var with_kept_gradient(const char* name, double total, double divisor, const Var& x, const Tensor& gradient) {
  const Tensor y({1}, x.dtype());
  *y.data<T>() = static_cast<T>(total / divisor);
  return Tape::record(name, y, {&x}, [gradient, divisor](const Tensor& gy, Tape::Slots& slots) {
    auto g = slots[0];
    if (!g) return;
    const T scale = *gy.data<T>() / static_cast<T>(divisor);
    for (int64_t i = 0; i < gradient.size(); ++i) {
      T& to = g.to.data<T>()[i];
      to = (g.accumulate ? to : T{0}) + gradient.data<T>()[i] * scale;
    }
  });
}

}  // namespace espalier::ops
