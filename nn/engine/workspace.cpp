// SPDX-License-Identifier: Apache-2.0
#include "nn/engine/workspace.h"

#include <algorithm>

namespace espalier {
namespace {

// At least `wanted` elements; a buffer that is too small is replaced.
void reserve(Tensor& tensor, int64_t wanted, DType type) {
  if (!tensor || tensor.size() < wanted) tensor = Tensor({wanted}, type);
}

}  // namespace

Rows Workspace::rows(Buffer buffer, int64_t rows, int64_t cols, DType type) {
  Parts& parts = parts_[buffer];
  const auto bytes = static_cast<int64_t>(size_of(type)), row = (cols * bytes + 63) / 64 * 64;
  reserve(parts.data, std::max<int64_t>(1, rows * row), DType::u8);
  Rows r = {.type = type, .rows = rows, .cols = cols, .stride = row / bytes, .data = parts.data.raw()};
  if (type == DType::u8) {
    reserve(parts.scales, std::max<int64_t>(1, rows), DType::f32);
    reserve(parts.zero_points, std::max<int64_t>(1, rows), DType::i32);
    r.scales = parts.scales.data<float>();
    r.zero_points = parts.zero_points.data<int32_t>();
  }
  return r;
}

}  // namespace espalier
