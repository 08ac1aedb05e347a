// SPDX-License-Identifier: Apache-2.0
// With p = sigmoid(x / T) and the target t: y = T^2 sum (t log(t / p) + (1 - t) log((1 - t) / (1 - p))) / divisor;
// gx = T (p - t) gy / divisor.
#include <cmath>

#include "core/ops.h"

namespace espalier::ops {
namespace {

double times_log(double t) { return t > 0 ? t * std::log(t) : 0; }

// Of one element. log(1 + e^z) is written so that no exponent overflows.
double divergence(double z, double t) {
  return std::max(z, 0.0) + std::log1p(std::exp(-std::abs(z))) - t * z + times_log(t) + times_log(1 - t);
}

}  // namespace

Var binary_cross_entropy(const Var& logits, const Tensor& targets, double divisor, double temperature) {
  CHECK(logits.shape() == targets.shape(), "binary_cross_entropy: logits", logits.shape(), " and their targets",
        targets.shape(), " differ");
  CHECK(divisor > 0 && temperature > 0, "binary_cross_entropy: divisor ", divisor, " and temperature ", temperature,
        "; expected positive numbers");
  return dispatch_real("binary_cross_entropy", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    double total = 0;
    for (int64_t i = 0; i < logits.value.size(); ++i) {
      const auto t = static_cast<double>(targets.data<T>()[i]);
      CHECK(t >= 0 && t <= 1, "binary_cross_entropy: the target ", t, " of element ", i, " is outside 0 … 1");
      total += divergence(static_cast<double>(logits.value.data<T>()[i]) / temperature, t);
    }
    Tensor y({1}, logits.dtype());
    *y.data<T>() = static_cast<T>(temperature * temperature * total / divisor);
    return Tape::record("binary_cross_entropy", y, {&logits},
                        [x = logits.value, targets, divisor, temperature](const Tensor& gy, Tape::Slots& slots) {
                          auto g = slots[0];
                          if (!g) return;
                          const double scale = static_cast<double>(*gy.data<T>()) * temperature / divisor;
                          for (int64_t i = 0; i < x.size(); ++i) {
                            const double p = 1 / (1 + std::exp(-static_cast<double>(x.data<T>()[i]) / temperature));
                            T& to = g.to.data<T>()[i];
                            to = (g.accumulate ? to : T{0}) +
                                 static_cast<T>((p - static_cast<double>(targets.data<T>()[i])) * scale);
                          }
                        });
  });
}

}  // namespace espalier::ops
