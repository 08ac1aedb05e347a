// SPDX-License-Identifier: Apache-2.0
// y = -sum_b log softmax(logits[b])[labels[b]] / divisor;  glogits[b] = (softmax(logits[b]) - onehot(labels[b])) gy /
// divisor.
#include <algorithm>
#include <cmath>

#include "core/ops.h"

namespace espalier::ops {

Var cross_entropy(const Var& logits, std::span<const int32_t> labels, double divisor) {
  CHECK(logits.shape().rank() == 2 && logits.value.rows() == static_cast<int64_t>(labels.size()),
        "cross_entropy: logits", logits.shape(), " and ", labels.size(), " labels");
  CHECK(divisor > 0, "cross_entropy: divisor ", divisor, " is not positive");
  const int64_t rows = logits.value.rows(), classes = logits.value.cols();
  return dispatch_real("cross_entropy", logits.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Tensor probabilities(logits.shape(), logits.dtype()), y({1}, logits.dtype());
    double total = 0;
    for (int64_t b = 0; b < rows; ++b) {
      const int32_t label = labels[static_cast<size_t>(b)];
      CHECK(label >= -1 && label < classes, "cross_entropy: label ", label, " of row ", b, " is outside 0 … ",
            classes - 1);
      const T* const x = logits.value.data<T>() + b * classes;
      T* const p = probabilities.data<T>() + b * classes;
      const T largest = *std::max_element(x, x + classes);
      T sum = 0;
      for (int64_t c = 0; c < classes; ++c) sum += p[c] = std::exp(x[c] - largest);
      for (int64_t c = 0; c < classes; ++c) p[c] /= sum;
      if (label >= 0) total += static_cast<double>(largest + std::log(sum) - x[label]);
    }
    *y.data<T>() = static_cast<T>(total / divisor);
    return Tape::record("cross_entropy", y, {&logits},
                        [probabilities, labels = std::vector<int32_t>(labels.begin(), labels.end()), divisor, rows,
                         classes](const Tensor& gy, Tape::Slots& slots) {
                          auto g = slots[0];
                          if (!g) return;
                          const T scale = *gy.data<T>() / static_cast<T>(divisor);
                          for (int64_t i = 0; i < rows * classes; ++i) {
                            const int32_t label = labels[static_cast<size_t>(i / classes)];
                            const T hot = label == i % classes ? T{1} : T{0};
                            T& to = g.to.data<T>()[i];
                            to = (g.accumulate ? to : T{0}) +
                                 (label < 0 ? T{0} : (probabilities.data<T>()[i] - hot) * scale);
                          }
                        });
  });
}

}  // namespace espalier::ops
