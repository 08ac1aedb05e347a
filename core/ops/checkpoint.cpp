// SPDX-License-Identifier: Apache-2.0
// y = f(x) without a tape; backward runs f once more on a tape of its own. Parameters inside f get their gradients
// there.
#include "core/ops.h"

namespace espalier::ops {

Var checkpoint(const Var& x, std::function<Var(const Var& x, Tape* tape)> f) {
  if (x.tape == nullptr) return f(x, nullptr);
  const Var y = f(Var{x.value}, nullptr);
  return Tape::record("checkpoint", y.value, {&x},
                      [x = x.value, f = std::move(f)](const Tensor& gy, Tape::Slots& slots) {
                        auto gx = slots[0];
                        LeafGrad grad{.grad = gx.to, .written = gx.accumulate, .rows = {}};
                        Tape inner;
                        inner.backward(f(inner.leaf(x, grad), &inner), gy);
                        if (!grad.written) gx.to.fill_zero();
                      });
}

}  // namespace espalier::ops
