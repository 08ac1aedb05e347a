// SPDX-License-Identifier: Apache-2.0
// The linear op in f32 or f64: y[T, out] = x[T, in] w[out, in]^T + b[out];  gx = gy w,  gw = gy^T x,  gb = column sums
// of gy.
#include "core/ops/linear_parts.h"

namespace espalier::ops {

template <class T>
Var linear_real(const Var& x, std::span<const Affine> parts, const Tensor& given) {
  const LinearParts p(x, parts);
  const Tensor y = given ? given : Tensor({p.rows, p.width}, x.dtype());
  std::vector<Gemm<T>> products;
  for (size_t i = 0; i < p.size() && !given; ++i)
    if (const auto w = inference_form(p, parts[i]))
      w->multiply(x.value, parts[i].b.value, y, p.firsts[i]);
    else
      products.push_back({.m = p.rows,
                          .n = p.weights[i].rows(),
                          .k = p.in,
                          .a = x.value.data<T>(),
                          .lda = p.in,
                          .b = p.weights[i].data<T>(),
                          .ldb = p.in,
                          .transpose_b = true,
                          .c = y.data<T>() + p.firsts[i],
                          .ldc = p.width,
                          .bias = parts[i].b.value.template data<T>()});
  gemm(std::span<const Gemm<T>>(products));

  return Tape::record("linear", y, p.inputs, [x = x.value, p](const Tensor& gy, Tape::Slots& slots) {
    const T* const g = gy.data<T>();
    if (auto gx = slots[0])
      for (size_t i = 0; i < p.size(); ++i) {
        const Gemm<T> product = {.m = p.rows,
                                 .n = p.in,
                                 .k = p.weights[i].rows(),
                                 .a = g + p.firsts[i],
                                 .lda = p.width,
                                 .b = p.weights[i].data<T>(),
                                 .ldb = p.in,
                                 .c = gx.to.data<T>(),
                                 .ldc = p.in,
                                 .accumulate = gx.accumulate || i > 0};
        gemm(std::span<const Gemm<T>>(&product, 1));
      }
    std::vector<Gemm<T>> weight_gradients;
    for (size_t i = 0; i < p.size(); ++i)
      if (auto gw = slots[1 + 2 * i])
        append(weight_gradients, Gemm<T>{.m = p.weights[i].rows(),
                                         .n = p.in,
                                         .k = p.rows,
                                         .a = g + p.firsts[i],
                                         .lda = p.width,
                                         .transpose_a = true,
                                         .b = x.data<T>(),
                                         .ldb = p.in,
                                         .c = gw.to.data<T>(),
                                         .ldc = p.in,
                                         .accumulate = gw.accumulate});
    gemm(std::span<const Gemm<T>>(weight_gradients));
    bias_gradients<T, T>(gy, p, slots);
  });
}

template Var linear_real<float>(const Var& x, std::span<const Affine> parts, const Tensor& given);
template Var linear_real<double>(const Var& x, std::span<const Affine> parts, const Tensor& given);

}  // namespace espalier::ops
