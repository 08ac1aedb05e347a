// SPDX-License-Identifier: Apache-2.0
// Transposition, compiled once per instruction set. Used by attention and by the packing of products.
#if defined(ESPALIER_KERNELS_TRANSPOSE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_TRANSPOSE_INL_H
#undef ESPALIER_KERNELS_TRANSPOSE_INL_H
#else
#define ESPALIER_KERNELS_TRANSPOSE_INL_H
#endif

#include <cstring>

#include "core/kernels/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// y[cols, rows] of a matrix [rows, cols], `rows` a multiple of 4; x(d, r, c) is the vector of row r from column c on,
// with d's lanes. Four rows at a time: their columns are moved as one. x must be marked HWY_ATTR.
template <class T, class X>
HWY_INLINE void transpose_fours(int64_t rows, int64_t cols, const X& x, T* HWY_RESTRICT y, int64_t ldy) {
  const hn::ScalableTag<T> d;
  const hn::CappedTag<T, 1> one;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN T group[4 * hn::MaxLanes(d)];
  for (int64_t r = 0; r < rows; r += 4) {
    int64_t c = 0;
    for (; c + lanes <= cols; c += lanes) {
      hn::StoreInterleaved4(x(d, r, c), x(d, r + 1, c), x(d, r + 2, c), x(d, r + 3, c), d, group);
      for (int64_t l = 0; l < lanes; ++l) std::memcpy(y + (c + l) * ldy + r, group + 4 * l, 4 * sizeof(T));
    }
    for (; c < cols; ++c)
      for (int64_t i = 0; i < 4; ++i) y[c * ldy + r + i] = hn::GetLane(x(one, r + i, c));
  }
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
