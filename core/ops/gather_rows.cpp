// SPDX-License-Identifier: Apache-2.0
// y[B, H] = x[rows[b], :];  gx[rows[b], :] = gy[b, :], zero elsewhere.
#include <cstring>

#include "core/ops.h"

namespace espalier::ops {

Var gather_rows(const Var& x, std::span<const int32_t> rows) {
  CHECK(x.shape().rank() == 2, "gather_rows: x", x.shape(), " is expected to be [T, H]");
  const int64_t cols = x.value.cols();
  for (const int32_t r : rows) CHECK(r >= 0 && r < x.value.rows(), "gather_rows: row ", r, " of x", x.shape());
  Tensor y({static_cast<int64_t>(rows.size()), cols}, x.dtype());
  const size_t bytes = static_cast<size_t>(cols) * size_of(x.dtype());
  for (size_t b = 0; b < rows.size(); ++b)
    std::memcpy(y.raw() + b * bytes, x.value.raw() + static_cast<size_t>(rows[b]) * bytes, bytes);
  return Tape::record(
      "gather_rows", y, {&x},
      [rows = std::vector<int32_t>(rows.begin(), rows.end()), cols](const Tensor& gy, Tape::Slots& slots) {
        auto gx = slots[0];
        if (!gx) return;
        if (!gx.accumulate) gx.to.fill_zero();
        dispatch_activation("gather_rows", gy.dtype(), [&](auto zero) {
          using T = decltype(zero);
          for (size_t b = 0; b < rows.size(); ++b) {
            T* const to = gx.to.data<T>() + rows[b] * cols;
            const T* const g = gy.data<T>() + static_cast<int64_t>(b) * cols;
            for (int64_t c = 0; c < cols; ++c) {
              if constexpr (std::is_same_v<T, Bf16>)
                to[c] = Bf16(static_cast<float>(to[c]) + static_cast<float>(g[c]));
              else
                to[c] += g[c];
            }
          }
        });
      });
}

}  // namespace espalier::ops
