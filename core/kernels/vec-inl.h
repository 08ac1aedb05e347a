// SPDX-License-Identifier: Apache-2.0
// What every kernel shares, compiled once per instruction set: loads and stores that widen bf16, and loops over lanes
// with a one-lane tail. Kernels are serial, noexcept and allocate nothing.
#if defined(ESPALIER_KERNELS_VEC_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_VEC_INL_H
#undef ESPALIER_KERNELS_VEC_INL_H
#else
#define ESPALIER_KERNELS_VEC_INL_H
#endif

#include <type_traits>

#include "core/dtype.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class T>
HWY_INLINE hn::VFromD<D> load(D d, const T* p) {
  if constexpr (std::is_same_v<T, Bf16>) {
    const hn::Rebind<uint16_t, D> half;
    const hn::RebindToUnsigned<D> du;
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(half, &p->bits))));
  } else {
    return hn::LoadU(d, p);
  }
}

// Rounds to bf16, to nearest even, in the high half of each lane; the low half is of no use. NaNs stay NaNs.
template <class D>
HWY_INLINE hn::VFromD<hn::RebindToUnsigned<D>> rounded_to_bf16(D, hn::VFromD<D> v) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, v);
  const auto sum = hn::Add(hn::Add(bits, hn::Set(du, 0x7fff)), hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1)));
  const auto is_nan = hn::RebindMask(du, hn::IsNaN(v));  // Ne(v, v) is false for a NaN on AVX
  return hn::IfThenElse(is_nan, hn::Or(bits, hn::Set(du, 0x400000)), sum);
}

template <class D, class T>
HWY_INLINE void store(D d, hn::VFromD<D> v, T* p) {
  if constexpr (std::is_same_v<T, Bf16>) {
    const hn::Rebind<uint16_t, D> half;
    const hn::RebindToSigned<D> di;
    hn::StoreU(hn::DemoteTo(half, hn::BitCast(di, hn::ShiftRight<16>(rounded_to_bf16(d, v)))), half, &p->bits);
  } else {
    hn::StoreU(v, d, p);
  }
}

// Calls f(d, i) for full vectors, then with one lane for what is left. f must be marked HWY_ATTR.
template <class T, class F>
HWY_INLINE void for_lanes(size_t n, F&& f) {
  const hn::ScalableTag<T> d;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) f(d, i);
  const hn::CappedTag<T, 1> one;
  for (; i < n; ++i) f(one, i);
}

// Sum over i < n of f(d, i), a vector; the one-lane tail is added to the scalar.
template <class T, class F>
HWY_INLINE T sum_lanes(size_t n, F&& f) {
  const hn::ScalableTag<T> d;
  auto a = hn::Zero(d), b = hn::Zero(d);
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::Add(a, f(d, i));
    b = hn::Add(b, f(d, i + lanes));
  }
  if (i + lanes <= n) {
    a = hn::Add(a, f(d, i));
    i += lanes;
  }
  T total = hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  const hn::CappedTag<T, 1> one;
  for (; i < n; ++i) total += hn::GetLane(f(one, i));
  return total;
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
