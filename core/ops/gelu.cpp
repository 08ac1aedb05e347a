// SPDX-License-Identifier: Apache-2.0
// y = x Phi(x);  gx = gy (Phi(x) + x phi(x)).
#include "core/kernels/gelu.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {

Var gelu(const Var& x) {
  Tensor y(x.shape(), x.dtype());
  return dispatch_activation("gelu", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_rows(y.size(), row_grain(1),
                  [&](int64_t b, int64_t e) { kernels::gelu_forward(e - b, x.value.data<T>() + b, y.data<T>() + b); });
    return Tape::record("gelu", y, {&x}, [x = x.value](const Tensor& gy, Tape::Slots& slots) {
      if (auto gx = slots[0])
        parallel_rows(x.size(), row_grain(1), [&](int64_t b, int64_t e) {
          kernels::gelu_backward(e - b, x.data<T>() + b, gy.data<T>() + b, gx.accumulate, gx.to.data<T>() + b);
        });
    });
  });
}

}  // namespace espalier::ops
