// SPDX-License-Identifier: Apache-2.0
// Layer normalisation of f32 against its formula in f64, on every instruction set.
#include "core/kernels/layer_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/kernels/isa.h"

namespace espalier::kernels {
namespace {

std::vector<float> numbers(int64_t count, uint64_t stream) {
  Rng rng(7, stream);
  std::vector<float> v(static_cast<size_t>(count));
  for (float& x : v) x = static_cast<float>(rng.uniform() * 4 - 1);
  return v;
}

TEST(LayerNorm, follows_its_formula) {
  constexpr int64_t rows = 3;
  for (const std::string& isa : available_isas()) {
    set_isa(isa);
    for (const int64_t cols : {1, 7, 16, 33, 384})
      for (const bool with_x : {false, true}) {
        const std::vector<float> x = numbers(rows * cols, 1), residual = numbers(rows * cols, 2),
                                 gamma = numbers(cols, 3), beta = numbers(cols, 4);
        std::vector<float> y(x.size());
        LayerNormRows<float, float> norm;
        norm.cols = cols;
        norm.x = with_x ? x.data() : nullptr;
        norm.residual = residual.data();
        norm.gamma = gamma.data();
        norm.beta = beta.data();
        norm.eps = 1e-5F;
        norm.y = y.data();
        layer_norm_forward(norm, 0, rows);
        for (int64_t r = 0; r < rows; ++r) {
          const auto z = [&](int64_t c) {
            const auto i = static_cast<size_t>(r * cols + c);
            return static_cast<double>(residual[i]) + (with_x ? static_cast<double>(x[i]) : 0.0);
          };
          double mean = 0, variance = 0;
          for (int64_t c = 0; c < cols; ++c) mean += z(c) / static_cast<double>(cols);
          for (int64_t c = 0; c < cols; ++c) variance += (z(c) - mean) * (z(c) - mean) / static_cast<double>(cols);
          for (int64_t c = 0; c < cols; ++c) {
            const auto i = static_cast<size_t>(c);
            const double wanted = (z(c) - mean) / std::sqrt(variance + 1e-5) * static_cast<double>(gamma[i]) +
                                  static_cast<double>(beta[i]);
            ASSERT_NEAR(static_cast<double>(y[static_cast<size_t>(r * cols + c)]), wanted, 2e-5)
                << isa << ", row " << r << " of " << cols << " at " << c;
          }
        }
      }
  }
  set_isa("");
}

}  // namespace
}  // namespace espalier::kernels
