// SPDX-License-Identifier: Apache-2.0
// y = f(x);  gx = gy f'(x), for the functions f of core/activation.h.
#include "core/kernels/activation.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {

Var activation(const Var& x, Activation of) {
  Tensor y(x.shape(), x.dtype());
  return dispatch_activation(name_of(of), x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_rows(y.size(), row_grain(1), [&](int64_t b, int64_t e) {
      kernels::activation_forward(of, e - b, x.value.data<T>() + b, y.data<T>() + b);
    });
    return Tape::record(name_of(of), y, {&x}, [x = x.value, of](const Tensor& gy, Tape::Slots& slots) {
      if (auto gx = slots[0])
        parallel_rows(x.size(), row_grain(1), [&](int64_t b, int64_t e) {
          kernels::activation_backward(of, e - b, x.data<T>() + b, gy.data<T>() + b, gx.accumulate,
                                       gx.to.data<T>() + b);
        });
    });
  });
}

}  // namespace espalier::ops
