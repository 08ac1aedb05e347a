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

// A grid in registers, for f32.
template <class D>
struct Grid {
  using V = hn::VFromD<D>;
  static constexpr float magic = 3 << 22;  // the last bit of sums with it is worth one

  explicit HWY_INLINE Grid(const GridRow& g)
      : row(g), per_step(hn::Set(D(), 1.0F / g.scale)), low(lowest(D(), g)), high(highest(D(), g)) {}

  // x / scale, on the grid but not rounded, relative to the zero point.
  HWY_INLINE V clamped(V x) const { return hn::Min(hn::Max(hn::Mul(x, per_step), low), high); }
  // Rounded to even by the addition: the sum's lowest byte is that of the integer.
  static HWY_INLINE V rounded(V on_grid) { return hn::Add(on_grid, hn::Set(D(), magic)); }
  // The integers of such sums, as bytes.
  HWY_INLINE void store_rounded(V sum, uint8_t* q) const {
    const hn::RebindToUnsigned<D> du;
    const hn::Rebind<uint8_t, D> d8;
    const auto whole = hn::Add(hn::BitCast(du, sum), hn::Set(du, static_cast<uint32_t>(row.zero_point)));
    hn::StoreU(hn::U8FromU32(hn::And(whole, hn::Set(du, 0xffU))), d8, q);
  }
  // The integers of x.
  HWY_INLINE void store(V x, uint8_t* q) const { store_rounded(rounded(clamped(x)), q); }

  GridRow row;
  V per_step, low, high;
};

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
