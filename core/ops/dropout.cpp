// SPDX-License-Identifier: Apache-2.0
// y = x m,  gx = gy m, with m = 0 or 1 / (1 - p) from the counter-based generator (Srivastava et al., JMLR 2014).
#include "core/kernels/elementwise.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {

Var dropout(const Var& x, const Dropout& dropout) {
  CHECK(dropout.probability >= 0 && dropout.probability < 1, "dropout: probability ", dropout.probability,
        " is outside [0, 1)");
  if (!dropout) return x;
  Tensor y(x.shape(), x.dtype());
  const int64_t cols = x.value.cols(), rows = cols > 0 ? x.value.size() / cols : 0;
  return dispatch_real("dropout", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    parallel_rows(rows, row_grain(cols), [&](int64_t b, int64_t e) {
      kernels::dropout_rows(dropout, cols, b, e, x.value.data<T>(), false, y.data<T>());
    });
    return Tape::record("dropout", y, {&x}, [dropout, rows, cols](const Tensor& gy, Tape::Slots& slots) {
      if (auto gx = slots[0])
        parallel_rows(rows, row_grain(cols), [&](int64_t b, int64_t e) {
          kernels::dropout_rows(dropout, cols, b, e, gy.data<T>(), gx.accumulate, gx.to.data<T>());
        });
    });
  });
}

}  // namespace espalier::ops
