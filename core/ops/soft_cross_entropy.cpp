// SPDX-License-Identifier: Apache-2.0
// p = softmax(teacher / T),  q = softmax(logits / T);  y = T^2 sum_b sum_c p (log p - log q) / divisor;
// glogits = T (q - p) gy / divisor.
#include <cmath>

#include "core/ops.h"
#include "core/ops/log_softmax.h"

namespace espalier::ops {

Var soft_cross_entropy(const Var& logits, const Tensor& teacher, double temperature, double divisor) {
  CHECK(logits.shape().rank() == 2 && logits.shape() == teacher.shape(), "soft_cross_entropy: logits", logits.shape(),
        " and the teacher's", teacher.shape(), " differ");
  CHECK(temperature > 0 && std::isfinite(temperature), "soft_cross_entropy: temperature ", temperature,
        " is not positive");
  CHECK(divisor > 0, "soft_cross_entropy: divisor ", divisor, " is not positive");
  const int64_t rows = logits.value.rows(), classes = logits.value.cols();
  return dispatch_real("soft_cross_entropy", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Tensor difference(logits.shape(), logits.dtype()), y({1}, logits.dtype());  // q - p
    std::vector<double> p(static_cast<size_t>(classes)), q(p);
    double total = 0;
    for (int64_t b = 0; b < rows; ++b) {
      log_softmax(teacher.data<T>() + b * classes, classes, temperature, p.data());
      log_softmax(logits.value.data<T>() + b * classes, classes, temperature, q.data());
      for (int64_t c = 0; c < classes; ++c) {
        const auto i = static_cast<size_t>(c);
        total += std::exp(p[i]) * (p[i] - q[i]);
        difference.data<T>()[b * classes + c] = static_cast<T>(std::exp(q[i]) - std::exp(p[i]));
      }
    }
    *y.data<T>() = static_cast<T>(temperature * temperature * total / divisor);
    return Tape::record("soft_cross_entropy", y, {&logits},
                        [difference, temperature, divisor](const Tensor& gy, Tape::Slots& slots) {
                          auto g = slots[0];
                          if (!g) return;
                          const T scale = *gy.data<T>() * static_cast<T>(temperature / divisor);
                          for (int64_t i = 0; i < difference.size(); ++i) {
                            T& to = g.to.data<T>()[i];
                            to = (g.accumulate ? to : T{0}) + difference.data<T>()[i] * scale;
                          }
                        });
  });
}

}  // namespace espalier::ops
