// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/mask.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/mask.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// A byte of the mask at a time: eight elements, in as few vectors as the instruction set allows.
template <class T>
HWY_INLINE void mask_any(int64_t n, const uint8_t* HWY_RESTRICT bits, const T* x, bool accumulate, T* y) {
  const hn::CappedTag<T, 8> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    for (int64_t k = 0; k < 8; k += lanes) {
      const uint8_t shifted[8] = {static_cast<uint8_t>(bits[i / 8] >> k)};  // LoadMaskBits may read eight bytes
      auto v = hn::IfThenElseZero(hn::LoadMaskBits(d, shifted), hn::LoadU(d, x + i + k));
      if (accumulate) v = hn::Add(v, hn::LoadU(d, y + i + k));
      hn::StoreU(v, d, y + i + k);
    }
  }
  for (; i < n; ++i) {
    const T v = (bits[i / 8] >> (i % 8) & 1) != 0 ? x[i] : T{0};
    y[i] = accumulate ? y[i] + v : v;
  }
}

void mask_f32(int64_t n, const uint8_t* bits, const float* x, bool a, float* y) { mask_any(n, bits, x, a, y); }
#if HWY_HAVE_FLOAT64  // not in WebAssembly
void mask_f64(int64_t n, const uint8_t* bits, const double* x, bool a, double* y) { mask_any(n, bits, x, a, y); }
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(mask_f32);
void mask(int64_t n, const uint8_t* bits, const float* x, bool accumulate, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(mask_f32)(n, bits, x, accumulate, y);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(mask_f64);
void mask(int64_t n, const uint8_t* bits, const double* x, bool accumulate, double* y) noexcept {
  HWY_DYNAMIC_DISPATCH(mask_f64)(n, bits, x, accumulate, y);
}
#endif
}  // namespace espalier::kernels
#endif
