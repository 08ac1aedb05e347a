// SPDX-License-Identifier: Apache-2.0
// With p = sigmoid(x), q = 1 - p, the smoothed target s = t (1 - smoothing) + smoothing / 2 and the weights w of the
// classes: y = sum_b sum_c (w_c s f(p) + (1 - s) f(q)) / divisor,  f(p) = -(1 - p)^gamma log p;
// gx = (w_c s q p f'(p) - (1 - s) p q f'(q)) gy / divisor.
#include "core/ops.h"
#include "core/ops/focal.h"
#include "core/ops/kept_gradient.h"

namespace espalier::ops {
namespace {

// log sigmoid(x), without an exponent that overflows.
double log_sigmoid(double x) { return std::min(x, 0.0) - std::log1p(std::exp(-std::abs(x))); }

}  // namespace

Var weighted_binary_cross_entropy(const Var& logits, const Tensor& targets, const ClassLoss& loss, double divisor) {
  CHECK(logits.shape().rank() == 2 && logits.shape() == targets.shape(), "weighted_binary_cross_entropy: logits",
        logits.shape(), " and their targets", targets.shape(), " differ");
  loss.check("weighted_binary_cross_entropy", logits.value.cols(), divisor);
  return dispatch_real("weighted_binary_cross_entropy", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Tensor gradient(logits.shape(), logits.dtype());
    double total = 0;
    for (int64_t i = 0; i < gradient.size(); ++i) {
      const auto x = static_cast<double>(logits.value.data<T>()[i]), t = static_cast<double>(targets.data<T>()[i]);
      CHECK(t >= 0 && t <= 1, "weighted_binary_cross_entropy: the target ", t, " of element ", i, " is outside 0 … 1");
      const double log_p = log_sigmoid(x), log_q = log_sigmoid(-x), s = t * (1 - loss.smoothing) + loss.smoothing / 2,
                   yes = s * loss.weight(i % logits.value.cols()), no = 1 - s;
      const Focal of_p(log_p, loss.gamma), of_q(log_q, loss.gamma);
      total += (yes > 0 ? yes * of_p.loss : 0) + (no > 0 ? no * of_q.loss : 0);
      gradient.data<T>()[i] = static_cast<T>(yes * std::exp(log_q) * of_p.slope - no * std::exp(log_p) * of_q.slope);
    }
    return with_kept_gradient<T>("weighted_binary_cross_entropy", total, divisor, logits, gradient);
  });
}

}  // namespace espalier::ops
