// SPDX-License-Identifier: Apache-2.0
// y = sum of w_i x_i for one-element terms x_i;  gx_i = w_i gy.
#include "core/ops.h"

namespace espalier::ops {

Var sum(std::span<const Var> terms, std::span<const double> weights) {
  CHECK(!terms.empty(), "sum: no terms");
  CHECK(weights.empty() || weights.size() == terms.size(), "sum: ", terms.size(), " terms and ", weights.size(),
        " weights");
  std::vector<const Var*> inputs;
  for (const Var& t : terms) {
    CHECK(t.value.size() == 1, "sum: a term of shape ", t.shape(), ", one element is expected");
    inputs.push_back(&t);
  }
  Tensor y({1}, terms[0].dtype());
  return dispatch_real("sum", y.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<T> w(terms.size(), T{1});
    for (size_t i = 0; i < weights.size(); ++i) w[i] = static_cast<T>(weights[i]);
    T total = 0;
    for (size_t i = 0; i < terms.size(); ++i) total += w[i] * *terms[i].value.data<T>();
    *y.data<T>() = total;
    return Tape::record("sum", y, inputs, [w](const Tensor& gy, Tape::Slots& slots) {
      for (size_t i = 0; i < w.size(); ++i)
        if (auto g = slots[i]) *g.to.data<T>() = (g.accumulate ? *g.to.data<T>() : T{0}) + w[i] * *gy.data<T>();
    });
  });
}

}  // namespace espalier::ops
