// SPDX-License-Identifier: Apache-2.0
// y = tanh x;  gx = gy (1 - y^2).
#include <cmath>

#include "core/ops.h"

namespace espalier::ops {

Var tanh(const Var& x) {
  Tensor y(x.shape(), x.dtype());
  return dispatch_real("tanh", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < y.size(); ++i) y.data<T>()[i] = std::tanh(x.value.data<T>()[i]);
    return Tape::record("tanh", y, {&x}, [y](const Tensor& gy, Tape::Slots& slots) {
      if (auto gx = slots[0]) {
        const T *g = gy.data<T>(), *v = y.data<T>();
        T* const to = gx.to.data<T>();
        for (int64_t i = 0; i < y.size(); ++i) to[i] = (gx.accumulate ? to[i] : T{0}) + g[i] * (1 - v[i] * v[i]);
      }
    });
  });
}

}  // namespace espalier::ops
