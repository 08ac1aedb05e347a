// SPDX-License-Identifier: Apache-2.0
#include "core/products/packed_weight.h"

#include <algorithm>

#include "core/kernels/elementwise.h"
#include "core/kernels/gemm_bf16.h"
#include "core/parallel.h"

namespace espalier {
namespace {

using kernels::pairs_of;
using kernels::panel_columns;
using kernels::panels_of;
static_assert(PackedWeight::rows_at_once == panel_columns);

Tensor panels(int64_t columns, int64_t k) {
  return Tensor({panels_of(columns), pairs_of(k), 2 * panel_columns}, DType::bf16);
}

}  // namespace

PackedWeight::PackedWeight(int64_t out, int64_t in)
    : out_(out), in_(in), forward_(panels(out, in)), backward_(panels(in, out)) {}

void PackedWeight::pack_rows(const float* w, int64_t begin, int64_t end, bool forward) {
  auto* const panel = reinterpret_cast<uint32_t*>(forward_.raw());
  auto* const backward = reinterpret_cast<uint32_t*>(backward_.raw());
  for (int64_t row = begin; row < end && forward; row += panel_columns)
    kernels::pack_rows_bf16(std::min(panel_columns, end - row), in_, w + row * in_, in_, panel + row * pairs_of(in_));
  kernels::pack_columns_bf16(begin, end, in_, w, in_, pairs_of(out_), backward);
}

void PackedWeight::pack(const float* w, bool forward) {
  const int64_t grain = std::max<int64_t>(1, row_grain(in_) / panel_columns) * panel_columns;
  parallel_rows(out_, grain, [&](int64_t begin, int64_t end) { pack_rows(w, begin, end, forward); });
}

Tensor pack_activation(const Tensor& x) {
  const int64_t rows = x.rows(), cols = x.cols();
  Tensor packed = panels(cols, rows);
  auto* const to = reinterpret_cast<uint32_t*>(packed.raw());
  dispatch_activation("pack_activation", x.dtype(), [&](auto zero) {
    using X = decltype(zero);
    if constexpr (!std::is_same_v<X, double>)
      parallel_rows(rows, 16, [&](int64_t begin, int64_t end) {
        kernels::pack_columns_bf16(begin, end, cols, x.data<X>(), cols, pairs_of(rows), to);
      });
    else
      fail("pack_activation: f64 has no bf16 products");
  });
  return packed;
}

Tensor as_pairs(const Tensor& x) {
  const int64_t rows = x.rows(), cols = x.cols(), even = (cols + 1) / 2 * 2;
  if (x.dtype() == DType::bf16 && even == cols) return x;
  Tensor y({rows, even}, DType::bf16);
  parallel_rows(rows, row_grain(cols), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      Bf16* const to = y.data<Bf16>() + r * even;
      if (x.dtype() == DType::bf16)
        std::copy_n(x.data<Bf16>() + r * cols, cols, to);
      else
        kernels::convert(cols, x.data<float>() + r * cols, to);
      if (even != cols) to[cols] = Bf16(0.0F);
    }
  });
  return y;
}

}  // namespace espalier
