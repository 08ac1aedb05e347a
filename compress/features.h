// SPDX-License-Identifier: Apache-2.0
// The features of an activation x[T, in], one by one. Used by those who watch the inputs of linear layers.
#pragma once

#include "core/parallel.h"
#include "core/tensor.h"

namespace espalier {

// Calls f(feature, value as double) for each element, feature by feature at once on several threads, tokens in order.
template <class F>
void for_features(const char* who, const Tensor& x, const F& f) {
  dispatch_activation(who, x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    parallel_rows(x.cols(), 64, [&](int64_t begin, int64_t end) {
      for (int64_t t = 0; t < x.rows(); ++t) {
        const T* const row = x.data<T>() + t * x.cols();
        for (int64_t i = begin; i < end; ++i) f(i, static_cast<double>(static_cast<Wide>(row[i])));
      }
    });
  });
}

}  // namespace espalier
