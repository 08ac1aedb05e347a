// SPDX-License-Identifier: Apache-2.0
// How numbers become integers on a grid, compiled once per instruction set. Everything that rounds does it with these
// steps, so that fake-quant and real integers never differ.
#if defined(ESPALIER_KERNELS_QUANTIZE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_QUANTIZE_INL_H
#undef ESPALIER_KERNELS_QUANTIZE_INL_H
#else
#define ESPALIER_KERNELS_QUANTIZE_INL_H
#endif

#include <type_traits>

#include "core/kernels/fake_quant.h"
#include "core/kernels/vec-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// Element type in which values of T are computed.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

// round(x / scale), unclamped, relative to the zero point.
template <class D>
HWY_INLINE hn::VFromD<D> steps(D d, hn::VFromD<D> x, const GridRow& g) {
  using T = hn::TFromD<D>;
  return hn::Round(hn::Mul(x, hn::Set(d, T{1} / static_cast<T>(g.scale))));
}
template <class D>
HWY_INLINE hn::VFromD<D> lowest(D d, const GridRow& g) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(g.low - g.zero_point));
}
template <class D>
HWY_INLINE hn::VFromD<D> highest(D d, const GridRow& g) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(g.high - g.zero_point));
}

// The integers of x on the grid, as bytes.
template <class D>
HWY_INLINE void store_integers(D d, hn::VFromD<D> x, const GridRow& g, uint8_t* q) {
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<uint8_t, D> d8;
  const auto on_grid = hn::Min(hn::Max(steps(d, x, g), lowest(d, g)), highest(d, g));
  const auto whole = hn::Add(hn::ConvertTo(di, on_grid), hn::Set(di, g.zero_point));
  hn::StoreU(hn::DemoteTo(d8, hn::BitCast(di, hn::And(hn::BitCast(du, whole), hn::Set(du, 0xffU)))), d8, q);
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
