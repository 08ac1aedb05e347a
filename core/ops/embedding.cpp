// SPDX-License-Identifier: Apache-2.0
// z[t] = word[ids[t]] + position[first + t - start of its sentence] + segment[segments[t]],  y = LayerNorm(z). The
// tables' gradients are scatters of gz: in token order, in parallel over columns, so that the sums do not depend on
// threads.
#include <algorithm>

#include "core/ops.h"
#include "core/ops/embedding_rows.h"
#include "core/ops/norm_rows.h"

namespace espalier::ops {
namespace {

template <class T>
void scatter_rows(const T* g, int64_t cols, std::span<const int32_t> rows, const Tape::Slots::Scatter& slot) {
  T* const to = slot.to.data<T>();
  if (slot.rows != nullptr)
    for (const int32_t r : rows)
      if (slot.rows->insert(r)) std::fill_n(to + r * cols, cols, T{0});
  parallel_rows(cols, 64, [&](int64_t begin, int64_t end) {
    for (size_t t = 0; t < rows.size(); ++t)
      kernels::add(end - begin, g + static_cast<int64_t>(t) * cols + begin, to + rows[t] * cols + begin);
  });
}

}  // namespace

Var embedding(std::span<const int32_t> ids, std::span<const int32_t> segments, std::span<const int32_t> offsets,
              const Var& word, const Var& position, const Var& segment, const Var& gamma, const Var& beta, float eps,
              int64_t first) {
  const int64_t rows = static_cast<int64_t>(ids.size()), cols = word.value.cols();
  const bool segmented = static_cast<bool>(segment.value);
  CHECK(word.shape().rank() == 2 && position.shape().rank() == 2 && (!segmented || segment.shape().rank() == 2) &&
            position.value.cols() == cols && (!segmented || segment.value.cols() == cols) &&
            gamma.shape() == Shape{cols} && beta.shape() == Shape{cols},
        "embedding: word", word.shape(), ", position", position.shape(), ", segment", segment.shape(), ", gamma",
        gamma.shape(), " and beta", beta.shape(), " do not fit");
  CHECK(segments.size() == ids.size(), "embedding: ", ids.size(), " ids and ", segments.size(), " segments");
  const std::vector<int32_t> place = places(ids, offsets, position.value.rows(), first);
  check_range("id", ids, word.value.rows());
  if (segmented) check_range("segment", segments, segment.value.rows());

  return dispatch_real("embedding", word.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Tensor y({rows, cols}, word.dtype()), xhat({rows, cols}, word.dtype()), rstd({rows}, word.dtype());
    const T *w = word.value.data<T>(), *p = position.value.data<T>(),
            *s = segmented ? segment.value.data<T>() : nullptr;
    const kernels::LayerNormRows<T, T> args = {.cols = cols,
                                               .residual = y.data<T>(),
                                               .gamma = gamma.value.data<T>(),
                                               .beta = beta.value.data<T>(),
                                               .eps = static_cast<T>(eps),
                                               .dropout = {},
                                               .y = y.data<T>(),
                                               .xhat = xhat.data<T>(),
                                               .rstd = rstd.data<T>()};
    parallel_rows(rows, norm_grain, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const auto i = static_cast<size_t>(t);
        T* const z = y.data<T>() + t * cols;
        std::copy_n(w + ids[i] * cols, cols, z);
        kernels::add(cols, p + place[i] * cols, z);
        if (segmented) kernels::add(cols, s + segments[i] * cols, z);
      }
      kernels::layer_norm_forward(args, begin, end);
    });
    return Tape::record(
        "embedding", y, {&word, &position, &segment, &gamma, &beta},
        [xhat, rstd, gamma = gamma.value, place, rows, cols, ids = std::vector<int32_t>(ids.begin(), ids.end()),
         segments = std::vector<int32_t>(segments.begin(), segments.end())](const Tensor& gy, Tape::Slots& slots) {
          const Tensor gz(gy.shape(), gy.dtype());
          const kernels::LayerNormGradRows<T, T> grad = {.cols = cols,
                                                         .gy = gy.data<T>(),
                                                         .xhat = xhat.data<T>(),
                                                         .rstd = rstd.data<T>(),
                                                         .gamma = gamma.data<T>(),
                                                         .dropout = {},
                                                         .g_residual = gz.data<T>()};
          const GradSlot g_gamma = slots[3], g_beta = slots[4];
          layer_norm_grad_rows(grad, rows, g_gamma, g_beta);
          if (auto g = slots.scatter(0)) scatter_rows(gz.data<T>(), cols, ids, g);
          if (auto g = slots.scatter(1)) scatter_rows(gz.data<T>(), cols, place, g);
          if (auto g = slots.scatter(2)) scatter_rows(gz.data<T>(), cols, segments, g);
        });
  });
}

}  // namespace espalier::ops
