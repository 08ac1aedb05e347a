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

// x / scale on the grid, rounded to even by adding a number whose last bit is worth one: the sum's lowest byte is that
// of the integer, relative to the zero point.
constexpr float rounding = 3 << 22;
template <class D>
HWY_INLINE hn::VFromD<D> rounded_sum(D d, hn::VFromD<D> quotient, const GridRow& g) {
  return hn::Add(hn::Min(hn::Max(quotient, lowest(d, g)), highest(d, g)), hn::Set(d, rounding));
}
template <class D>
HWY_INLINE void store_rounded(D, hn::VFromD<D> sum, const GridRow& g, uint8_t* q) {
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<uint8_t, D> d8;
  const auto whole = hn::Add(hn::BitCast(du, sum), hn::Set(du, static_cast<uint32_t>(g.zero_point)));
  hn::StoreU(hn::U8FromU32(hn::And(whole, hn::Set(du, 0xffU))), d8, q);
}

// The integers of x on the grid, as bytes.
template <class D>
HWY_INLINE void store_integers(D d, hn::VFromD<D> x, const GridRow& g, uint8_t* q) {
  store_rounded(d, rounded_sum(d, hn::Mul(x, hn::Set(d, 1.0F / g.scale)), g), g, q);
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
