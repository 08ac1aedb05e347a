// SPDX-License-Identifier: Apache-2.0
// y = sum_r (1 - x_r t_r / (|x_r| |t_r|)) / divisor;  gx_r = (x_r cos_r / |x_r| - t_r / |t_r|) / |x_r| gy / divisor.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {

Var cosine_distance(const Var& x, const Tensor& target, double divisor) {
  CHECK(x.shape().rank() == 2 && x.shape() == target.shape(), "cosine_distance: x", x.shape(), " and its target",
        target.shape(), " differ");
  CHECK(divisor > 0, "cosine_distance: divisor ", divisor, " is not positive");
  const int64_t rows = x.value.rows(), cols = x.value.cols();
  return dispatch_real("cosine_distance", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    struct Row {
      double cosine, x_norm, target_norm;
    };
    std::vector<Row> of(static_cast<size_t>(rows));
    parallel_rows(rows, row_grain(cols), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T *const a = x.value.data<T>() + r * cols, *const b = target.data<T>() + r * cols;
        double aa = 0, bb = 0, ab = 0;
        for (int64_t c = 0; c < cols; ++c) {
          aa += static_cast<double>(a[c] * a[c]);
          bb += static_cast<double>(b[c] * b[c]);
          ab += static_cast<double>(a[c] * b[c]);
        }
        const double x_norm = std::max(std::sqrt(aa), 1e-8), target_norm = std::max(std::sqrt(bb), 1e-8);
        of[static_cast<size_t>(r)] = {ab / (x_norm * target_norm), x_norm, target_norm};
      }
    });
    Tensor y({1}, x.dtype());
    *y.data<T>() = static_cast<T>(
        std::accumulate(of.begin(), of.end(), 0.0, [](double s, const Row& r) { return s + 1 - r.cosine; }) / divisor);
    return Tape::record("cosine_distance", y, {&x},
                        [x = x.value, target, divisor, of, rows, cols](const Tensor& gy, Tape::Slots& slots) {
                          auto g = slots[0];
                          if (!g) return;
                          const double scale = static_cast<double>(*gy.data<T>()) / divisor;
                          parallel_rows(rows, row_grain(cols), [&](int64_t begin, int64_t end) {
                            for (int64_t r = begin; r < end; ++r) {
                              const Row& row = of[static_cast<size_t>(r)];
                              const T along = static_cast<T>(scale * row.cosine / (row.x_norm * row.x_norm)),
                                      against = static_cast<T>(scale / (row.x_norm * row.target_norm));
                              for (int64_t i = r * cols; i < (r + 1) * cols; ++i) {
                                T& to = g.to.data<T>()[i];
                                to = (g.accumulate ? to : T{0}) +
                                     (along * x.data<T>()[i] - against * target.data<T>()[i]);
                              }
                            }
                          });
                        });
  });
}

}  // namespace espalier::ops
