// SPDX-License-Identifier: Apache-2.0
// z = residual + dropout(x),  y = gamma (z - mean z) / sqrt(var z + eps) + beta. Formulas of the gradient:
// kernels/layer_norm.cpp.
#include "core/ops.h"
#include "core/ops/norm_rows.h"

namespace espalier::ops {
namespace {

template <class T, class X>
Var run(const Var& x, const Var& residual, const Var& gamma, const Var& beta, float eps, const Dropout& dropout) {
  const int64_t rows = x.value.rows(), cols = x.value.cols();
  const DType type = dtype_of<T>();
  Tensor y(x.shape(), type), xhat(x.shape(), type), rstd({rows}, type);
  const kernels::LayerNormRows<T, X> args = {.cols = cols,
                                             .x = x.value.data<X>(),
                                             .residual = residual.value.data<T>(),
                                             .gamma = gamma.value.data<T>(),
                                             .beta = beta.value.data<T>(),
                                             .eps = static_cast<T>(eps),
                                             .dropout = dropout,
                                             .y = y.data<T>(),
                                             .xhat = xhat.data<T>(),
                                             .rstd = rstd.data<T>()};
  layer_norm_rows(args, rows);
  return Tape::record("dropout_add_layer_norm", y, {&x, &residual, &gamma, &beta},
                      [xhat, rstd, gamma = gamma.value, dropout, rows, cols](const Tensor& gy, Tape::Slots& slots) {
                        auto g_residual = slots[1], gx = slots[0], g_gamma = slots[2], g_beta = slots[3];  // as written
                        const kernels::LayerNormGradRows<T, X> grad = {
                            .cols = cols,
                            .gy = gy.data<T>(),
                            .xhat = xhat.data<T>(),
                            .rstd = rstd.data<T>(),
                            .gamma = gamma.data<T>(),
                            .dropout = dropout,
                            .g_residual = g_residual ? g_residual.to.data<T>() : nullptr,
                            .accumulate_residual = g_residual.accumulate,
                            .g_x = gx ? gx.to.data<X>() : nullptr,
                            .accumulate_x = gx.accumulate};
                        layer_norm_grad_rows(grad, rows, g_gamma, g_beta);
                      });
}

}  // namespace

Var dropout_add_layer_norm(const Var& x, const Var& residual, const Var& gamma, const Var& beta, float eps,
                           const Dropout& dropout) {
  CHECK(x.shape().rank() == 2 && x.shape() == residual.shape(), "dropout_add_layer_norm: x", x.shape(), " and residual",
        residual.shape(), " differ");
  const Shape line{x.value.cols()};
  CHECK(gamma.shape() == line && beta.shape() == line, "dropout_add_layer_norm: x", x.shape(),
        " needs gamma and beta of shape ", line, ", not ", gamma.shape(), " and ", beta.shape());
  if (residual.dtype() == DType::f64) return run<double, double>(x, residual, gamma, beta, eps, dropout);
  return x.dtype() == DType::bf16 ? run<float, Bf16>(x, residual, gamma, beta, eps, dropout)
                                  : run<float, float>(x, residual, gamma, beta, eps, dropout);
}

}  // namespace espalier::ops
