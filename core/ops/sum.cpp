// SPDX-License-Identifier: Apache-2.0
// y = sum of one-element terms;  every term's gradient is gy.
#include "core/ops.h"

namespace espalier::ops {

Var sum(std::span<const Var> terms) {
  CHECK(!terms.empty(), "sum: no terms");
  std::vector<const Var*> inputs;
  for (const Var& t : terms) {
    CHECK(t.value.size() == 1, "sum: a term of shape ", t.shape(), ", one element is expected");
    inputs.push_back(&t);
  }
  Tensor y({1}, terms[0].dtype());
  return dispatch_real("sum", y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T total = 0;
    for (const Var& t : terms) total += *t.value.data<T>();
    *y.data<T>() = total;
    return Tape::record("sum", y, inputs, [count = terms.size()](const Tensor& gy, Tape::Slots& slots) {
      for (size_t i = 0; i < count; ++i)
        if (auto g = slots[i]) *g.to.data<T>() = (g.accumulate ? *g.to.data<T>() : T{0}) + *gy.data<T>();
    });
  });
}

}  // namespace espalier::ops
