// SPDX-License-Identifier: Apache-2.0
// y = sum (x - target)^2 / divisor;  gx = 2 (x - target) gy / divisor.
#include <numeric>

#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {
namespace {

constexpr int64_t piece = 16384;  // elements that are summed at a time

}  // namespace

Var mse(const Var& x, const Tensor& target, double divisor) {
  CHECK(x.shape() == target.shape(), "mse: x", x.shape(), " and its target", target.shape(), " differ");
  CHECK(divisor > 0, "mse: divisor ", divisor, " is not positive");
  return dispatch_real("mse", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<double> sums(static_cast<size_t>((x.value.size() + piece - 1) / piece));
    const T *const a = x.value.data<T>(), *const b = target.data<T>();
    parallel_rows(x.value.size(), piece, [&](int64_t begin, int64_t end) {
      double sum = 0;
      for (int64_t i = begin; i < end; ++i) sum += static_cast<double>((a[i] - b[i]) * (a[i] - b[i]));
      sums[static_cast<size_t>(begin / piece)] = sum;
    });
    Tensor y({1}, x.dtype());
    *y.data<T>() = static_cast<T>(std::accumulate(sums.begin(), sums.end(), 0.0) / divisor);
    return Tape::record("mse", y, {&x}, [x = x.value, target, divisor](const Tensor& gy, Tape::Slots& slots) {
      auto g = slots[0];
      if (!g) return;
      const T scale = *gy.data<T>() * static_cast<T>(2 / divisor);
      const T *const from = x.data<T>(), *const goal = target.data<T>();
      T* const to = g.to.data<T>();
      parallel_rows(x.size(), piece, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) to[i] = (g.accumulate ? to[i] : T{0}) + (from[i] - goal[i]) * scale;
      });
    });
  });
}

}  // namespace espalier::ops
