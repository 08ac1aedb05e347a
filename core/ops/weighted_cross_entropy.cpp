// SPDX-License-Identifier: Apache-2.0
// With p = softmax(logits[b]), the label's target t = (1 - smoothing) onehot + smoothing / C, and the class weights w:
// y = sum_b sum_c t_c w_c f(p_c) / divisor,  f(p) = -(1 - p)^gamma log p;
// glogits[b, k] = (a_k - p_k sum_c a_c) gy / divisor,  a_c = t_c w_c p_c f'(p_c).
#include <algorithm>
#include <vector>

#include "core/ops.h"
#include "core/ops/focal.h"
#include "core/ops/kept_gradient.h"
#include "core/ops/log_softmax.h"

namespace espalier::ops {

Var weighted_cross_entropy(const Var& logits, std::span<const int32_t> labels, const ClassLoss& loss, double divisor) {
  const int64_t rows = logits.value.rows(), classes = logits.value.cols();
  CHECK(logits.shape().rank() == 2 && rows == std::ssize(labels), "weighted_cross_entropy: logits", logits.shape(),
        " and ", labels.size(), " labels");
  loss.check("weighted_cross_entropy", classes, divisor);
  return dispatch_real("weighted_cross_entropy", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Tensor gradient = Tensor::zeros(logits.shape(), logits.dtype());
    std::vector<double> log_p(static_cast<size_t>(classes)), a(log_p);
    double total = 0;
    for (int64_t b = 0; b < rows; ++b) {
      const int32_t label = labels[static_cast<size_t>(b)];
      CHECK(label >= -1 && label < classes, "weighted_cross_entropy: label ", label, " of row ", b, " is outside 0 … ",
            classes - 1);
      if (label < 0) continue;
      log_softmax(logits.value.data<T>() + b * classes, classes, 1, log_p.data());
      double sum = 0;
      for (int64_t c = 0; c < classes; ++c) {
        const auto i = static_cast<size_t>(c);
        const double share = loss.smoothing / static_cast<double>(classes) + (c == label ? 1 - loss.smoothing : 0),
                     weight = share * loss.weight(c);
        a[i] = 0;
        if (weight == 0) continue;
        const Focal focal(log_p[i], loss.gamma);
        total += weight * focal.loss;
        sum += a[i] = weight * focal.slope;
      }
      for (int64_t c = 0; c < classes; ++c)
        gradient.data<T>()[b * classes + c] =
            static_cast<T>(a[static_cast<size_t>(c)] - std::exp(log_p[static_cast<size_t>(c)]) * sum);
    }
    return with_kept_gradient<T>("weighted_cross_entropy", total, divisor, logits, gradient);
  });
}

}  // namespace espalier::ops
