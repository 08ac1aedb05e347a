// SPDX-License-Identifier: Apache-2.0
// y[T, out] = x[T, in] w[out, in]^T + b[out];  gx = gy w,  gw = gy^T x,  gb = column sums of gy.
#include "core/gemm.h"
#include "core/kernels/elementwise.h"
#include "core/ops.h"
#include "core/parallel.h"

namespace espalier::ops {
namespace {

// gb[columns] from gy[T, stride].
template <class T>
void bias_gradient(const T* gy, int64_t rows, int64_t stride, const GradSlot& gb) {
  T* const to = gb.to.data<T>();
  parallel_rows(gb.to.size(), 64, [&](int64_t begin, int64_t end) {
    kernels::column_sums(rows, end - begin, stride, gy + begin, gb.accumulate, to + begin);
  });
}

}  // namespace

Var linear(const Var& x, std::span<const Affine> parts) {
  CHECK(!parts.empty() && x.shape().rank() == 2, "linear: x", x.shape(),
        " is expected to be [T, in], with at least one weight");
  const int64_t rows = x.value.rows(), in = x.value.cols();
  std::vector<const Var*> inputs = {&x};
  std::vector<int64_t> firsts;
  int64_t width = 0;
  for (const Affine& p : parts) {
    CHECK(p.w.shape().rank() == 2 && p.w.shape()[1] == in, "linear: x", x.shape(), " and w", p.w.shape(),
          " differ in their last dimension");
    CHECK(p.b.shape() == Shape{p.w.shape()[0]}, "linear: w", p.w.shape(), " needs a bias of shape ",
          Shape{p.w.shape()[0]}, ", not ", p.b.shape());
    inputs.push_back(&p.w);
    inputs.push_back(&p.b);
    firsts.push_back(width);
    width += p.w.shape()[0];
  }
  Tensor y({rows, width}, x.dtype());
  std::vector<Tensor> weights;
  for (const Affine& p : parts) weights.push_back(p.w.value);

  return dispatch_real("linear", x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<Gemm<T>> products;
    for (size_t i = 0; i < parts.size(); ++i)
      products.push_back({.m = rows,
                          .n = weights[i].rows(),
                          .k = in,
                          .a = x.value.data<T>(),
                          .lda = in,
                          .b = weights[i].data<T>(),
                          .ldb = in,
                          .transpose_b = true,
                          .c = y.data<T>() + firsts[i],
                          .ldc = width,
                          .bias = parts[i].b.value.template data<T>()});
    gemm(std::span<const Gemm<T>>(products));

    return Tape::record("linear", y, inputs,
                        [x = x.value, weights, firsts, rows, in, width](const Tensor& gy, Tape::Slots& slots) {
                          const T* const g = gy.data<T>();
                          if (auto gx = slots[0])
                            for (size_t i = 0; i < weights.size(); ++i) {
                              const Gemm<T> product = {.m = rows,
                                                       .n = in,
                                                       .k = weights[i].rows(),
                                                       .a = g + firsts[i],
                                                       .lda = width,
                                                       .b = weights[i].data<T>(),
                                                       .ldb = in,
                                                       .c = gx.to.data<T>(),
                                                       .ldc = in,
                                                       .accumulate = gx.accumulate || i > 0};
                              gemm(std::span<const Gemm<T>>(&product, 1));
                            }
                          std::vector<Gemm<T>> weight_gradients;
                          for (size_t i = 0; i < weights.size(); ++i)
                            if (auto gw = slots[1 + 2 * i])
                              weight_gradients.push_back({.m = weights[i].rows(),
                                                          .n = in,
                                                          .k = rows,
                                                          .a = g + firsts[i],
                                                          .lda = width,
                                                          .transpose_a = true,
                                                          .b = x.data<T>(),
                                                          .ldb = in,
                                                          .c = gw.to.data<T>(),
                                                          .ldc = in,
                                                          .accumulate = gw.accumulate});
                          gemm(std::span<const Gemm<T>>(weight_gradients));
                          for (size_t i = 0; i < weights.size(); ++i)
                            if (auto gb = slots[2 + 2 * i]) bias_gradient(g + firsts[i], rows, width, gb);
                        });
  });
}

Var linear(const Var& x, const Var& w, const Var& b) {
  const Affine part{w, b};
  return linear(x, std::span<const Affine>(&part, 1));
}

}  // namespace espalier::ops
