// SPDX-License-Identifier: Apache-2.0
// What the two ops with a layer normalisation share: running the kernel over rows, and the deterministic sums of the
// gamma and beta gradients.
#pragma once

#include <vector>

#include "core/kernels/elementwise.h"
#include "core/kernels/layer_norm.h"
#include "core/parallel.h"
#include "core/tape.h"

namespace espalier::ops {

constexpr int64_t norm_grain = 16;  // rows a piece; fixed, because the sums below depend on it

template <class T, class X>
void layer_norm_rows(const kernels::LayerNormRows<T, X>& args, int64_t rows) {
  parallel_rows(rows, norm_grain, [&](int64_t begin, int64_t end) { kernels::layer_norm_forward(args, begin, end); });
}

// Each piece of rows sums into its own line; the lines are added in order.
template <class T, class X>
void layer_norm_grad_rows(const kernels::LayerNormGradRows<T, X>& args, int64_t rows, const GradSlot& gamma,
                          const GradSlot& beta) {
  const int64_t pieces = (rows + norm_grain - 1) / norm_grain, cols = args.cols;
  const Tensor sums = Tensor::zeros({pieces, 2, cols}, dtype_of<T>());
  T* const lines = sums.data<T>();
  parallel_rows(rows, norm_grain, [&](int64_t begin, int64_t end) {
    T* const line = lines + begin / norm_grain * 2 * cols;
    kernels::layer_norm_backward(args, begin, end, line, line + cols);
  });
  if (gamma) kernels::column_sums(pieces, cols, 2 * cols, lines, gamma.accumulate, gamma.to.data<T>());
  if (beta) kernels::column_sums(pieces, cols, 2 * cols, lines + cols, beta.accumulate, beta.to.data<T>());
}

}  // namespace espalier::ops
