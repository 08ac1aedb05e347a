// SPDX-License-Identifier: Apache-2.0
// y = (clamp(round(x / scale) + zero_point) - zero_point) scale;  gx = gy where nothing was clamped, else 0 (the
// straight-through estimator). Learned: with v = x / s,
//   gs = g sum of gy (low where v <= low, high where v >= high, else round(v) - v),  g = 1 / sqrt(n high).
#include <cmath>

#include "core/kernels/fake_quant.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {
namespace {

void check_rows(const char* op, const Shape& x, const Shape& scale) {
  CHECK(x.rank() == 2 && scale.rank() == 1 && (scale[0] == 1 || scale[0] == x[0]), op, ": x", x, " and scale", scale,
        " do not fit; one scale, or one for each row, is expected");
}

template <class T>
void gradient(const Tensor& x, const QuantGrid& grid, const Tensor& gy, const GradSlot& gx) {
  parallel_rows(x.rows(), row_grain(x.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const int64_t at = r * x.cols();
      kernels::fake_quant_gradient(x.cols(), x.data<T>() + at, row_of(grid, r), gy.data<T>() + at, gx.accumulate,
                                   gx.to.data<T>() + at);
    }
  });
}

template <class T>
Tensor forward(const Tensor& x, const QuantGrid& grid) {
  Tensor y(x.shape(), x.dtype());
  parallel_rows(x.rows(), row_grain(x.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      kernels::fake_quant(x.cols(), x.data<T>() + r * x.cols(), row_of(grid, r), y.data<T>() + r * x.cols());
  });
  return y;
}

// gs of one row, without the factor g.
template <class T>
double scale_gradient(int64_t n, const T* x, const T* gy, double scale, int32_t low, int32_t high) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i) {
    using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
    const double v = static_cast<double>(static_cast<Wide>(x[i])) / scale,
                 g = static_cast<double>(static_cast<Wide>(gy[i]));
    sum += g * (v <= low ? low : v >= high ? high : std::nearbyint(v) - v);
  }
  return sum;
}

// Row sums first, then over the rows in order: the same bits with any number of threads.
template <class T, class S>
void scale_gradients(const Tensor& x, const Tensor& scale, int32_t low, int32_t high, const Tensor& gy,
                     const GradSlot& gs) {
  const int64_t rows = x.rows(), cols = x.cols(), groups = scale.size();
  const int64_t group_size = rows * cols / groups;
  const double factor = 1 / std::sqrt(static_cast<double>(group_size) * high);
  std::vector<double> sums(static_cast<size_t>(rows));
  parallel_rows(rows, row_grain(cols), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r)
      sums[static_cast<size_t>(r)] =
          scale_gradient(cols, x.data<T>() + r * cols, gy.data<T>() + r * cols,
                         static_cast<double>(scale.data<S>()[groups == 1 ? 0 : r]), low, high);
  });
  S* const to = gs.to.data<S>();
  if (!gs.accumulate) std::fill_n(to, groups, S{0});
  if (groups == 1) {
    double sum = 0;
    for (const double s : sums) sum += s;
    to[0] += static_cast<S>(factor * sum);
  } else {
    for (int64_t r = 0; r < rows; ++r) to[r] += static_cast<S>(factor * sums[static_cast<size_t>(r)]);
  }
}

}  // namespace

Var fake_quant(const Var& x, const QuantGrid& grid) {
  check_rows("fake_quant", x.shape(), grid.scale.shape());
  return dispatch_activation("fake_quant", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return Tape::record("fake_quant", forward<T>(x.value, grid), {&x},
                        [x = x.value, grid](const Tensor& gy, Tape::Slots& slots) {
                          if (auto gx = slots[0]) gradient<T>(x, grid, gy, gx);
                        });
  });
}

Var fake_quant(const Var& x, const Var& scale, int32_t low, int32_t high) {
  check_rows("fake_quant", x.shape(), scale.shape());
  QuantGrid grid{Tensor(scale.shape()), Tensor::zeros(scale.shape(), DType::i32), low, high};
  const bool wide = scale.dtype() == DType::f64;
  for (int64_t i = 0; i < grid.rows(); ++i) {
    const double s = wide ? scale.value.data<double>()[i] : static_cast<double>(scale.value.data<float>()[i]);
    CHECK(s > 0 && std::isfinite(s), "fake_quant: scale ", i, " is ", s, "; a positive number is expected");
    grid.scale.data<float>()[i] = static_cast<float>(s);
  }
  return dispatch_activation("fake_quant", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    return Tape::record("fake_quant", forward<T>(x.value, grid), {&x, &scale},
                        [x = x.value, s = scale.value, grid, wide](const Tensor& gy, Tape::Slots& slots) {
                          if (auto gx = slots[0]) gradient<T>(x, grid, gy, gx);
                          auto gs = slots[1];
                          if (gs && wide)
                            scale_gradients<T, double>(x, s, grid.low, grid.high, gy, gs);
                          else if (gs)
                            scale_gradients<T, float>(x, s, grid.low, grid.high, gy, gs);
                        });
  });
}

}  // namespace espalier::ops
