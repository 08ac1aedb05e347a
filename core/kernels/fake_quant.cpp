// SPDX-License-Identifier: Apache-2.0
// The same steps in every function and on every instruction set: x times 1 / scale in f32 (f64 for doubles), rounded to
// even, then clamped. So fake-quant and real integers never differ.
#include "core/kernels/fake_quant.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/fake_quant.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/quantize-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

template <class T>
HWY_INLINE void fake(int64_t n, const T* HWY_RESTRICT x, const GridRow& g, T* HWY_RESTRICT y) {
  for_lanes<Wide<T>>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto q = hn::Min(hn::Max(steps(d, load(d, x + i), g), lowest(d, g)), highest(d, g));
    const auto no_minus_zero = hn::Add(q, hn::Zero(d));  // as the integers have it
    store(d, hn::Mul(no_minus_zero, hn::Set(d, static_cast<Wide<T>>(g.scale))), y + i);
  });
}

template <class T>
HWY_INLINE void gradient(int64_t n, const T* HWY_RESTRICT x, const GridRow& g, const T* HWY_RESTRICT gy,
                         bool accumulate, T* HWY_RESTRICT gx) {
  for_lanes<Wide<T>>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto q = steps(d, load(d, x + i), g);
    const auto inside = hn::And(hn::Ge(q, lowest(d, g)), hn::Le(q, highest(d, g)));
    auto v = hn::IfThenElseZero(inside, load(d, gy + i));
    if (accumulate) v = hn::Add(v, load(d, gx + i));
    store(d, v, gx + i);
  });
}

template <class T>
HWY_INLINE void integers(int64_t n, const T* HWY_RESTRICT x, const GridRow& g, uint8_t* HWY_RESTRICT q) {
  for_lanes<float>(static_cast<size_t>(n),
                   [&](auto d, size_t i) HWY_ATTR { Grid<decltype(d)>(g).store(load(d, x + i), q + i); });
}

template <class Q>
HWY_INLINE void real_of(int64_t n, const Q* HWY_RESTRICT q, const GridRow& g, float* HWY_RESTRICT x) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    const hn::Rebind<Q, decltype(d)> dq;
    const auto whole = hn::Sub(hn::PromoteTo(di, hn::LoadU(dq, q + i)), hn::Set(di, g.zero_point));
    store(d, hn::Mul(hn::ConvertTo(d, whole), hn::Set(d, g.scale)), x + i);
  });
}

template <class T>
HWY_INLINE void range_of(int64_t n, const T* HWY_RESTRICT x, float& least, float& most) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto low = hn::Set(d, static_cast<float>(x[0])), high = low, doubtful = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = load(d, x + i);
    low = hn::Min(low, v);
    high = hn::Max(high, v);
    doubtful = hn::Add(doubtful, hn::Mul(v, hn::Zero(d)));  // NaN once a NaN or an infinity was met
  }
  least = hn::GetLane(hn::MinOfLanes(d, low));
  most = hn::GetLane(hn::MaxOfLanes(d, high));
  float sum = hn::GetLane(hn::SumOfLanes(d, doubtful));
  for (; i < n; ++i) {
    const auto v = static_cast<float>(x[i]);
    least = v < least ? v : least;
    most = v > most ? v : most;
    sum += v * 0.0F;
  }
  for (i = 0; i < n && !(sum == 0); ++i)  // a NaN or an infinity was met: which?
    if (std::isnan(static_cast<float>(x[i]))) least = most = std::nanf("");
}

template <class T>
HWY_INLINE void bins_of(int64_t n, const T* HWY_RESTRICT x, float least, float per_unit, int32_t last,
                        int32_t* HWY_RESTRICT bin) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    const auto at = hn::Mul(hn::Sub(load(d, x + i), hn::Set(d, least)), hn::Set(d, per_unit));
    const auto inside = hn::Min(hn::Max(at, hn::Zero(d)), hn::Set(d, static_cast<float>(last)));
    hn::StoreU(hn::ConvertTo(di, inside), di, bin + i);
  });
}

void fake_f32(int64_t n, const float* x, const GridRow& g, float* y) { fake(n, x, g, y); }
void fake_16(int64_t n, const Bf16* x, const GridRow& g, Bf16* y) { fake(n, x, g, y); }
void gradient_f32(int64_t n, const float* x, const GridRow& g, const float* gy, bool a, float* gx) {
  gradient(n, x, g, gy, a, gx);
}
void gradient_16(int64_t n, const Bf16* x, const GridRow& g, const Bf16* gy, bool a, Bf16* gx) {
  gradient(n, x, g, gy, a, gx);
}
void integers_f32(int64_t n, const float* x, const GridRow& g, uint8_t* q) { integers(n, x, g, q); }
void integers_16(int64_t n, const Bf16* x, const GridRow& g, uint8_t* q) { integers(n, x, g, q); }
void range_f32(int64_t n, const float* x, float& l, float& m) { range_of(n, x, l, m); }
void range_16(int64_t n, const Bf16* x, float& l, float& m) { range_of(n, x, l, m); }
void real_s8(int64_t n, const int8_t* q, const GridRow& g, float* x) { real_of(n, q, g, x); }
void real_u8(int64_t n, const uint8_t* q, const GridRow& g, float* x) { real_of(n, q, g, x); }
void bins_f32(int64_t n, const float* x, float l, float u, int32_t m, int32_t* b) { bins_of(n, x, l, u, m, b); }
void bins_16(int64_t n, const Bf16* x, float l, float u, int32_t m, int32_t* b) { bins_of(n, x, l, u, m, b); }
#if HWY_HAVE_FLOAT64  // not in WebAssembly
void fake_f64(int64_t n, const double* x, const GridRow& g, double* y) { fake(n, x, g, y); }
void gradient_f64(int64_t n, const double* x, const GridRow& g, const double* gy, bool a, double* gx) {
  gradient(n, x, g, gy, a, gx);
}
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(fake_f32);
HWY_EXPORT(fake_16);
HWY_EXPORT(gradient_f32);
HWY_EXPORT(gradient_16);
HWY_EXPORT(integers_f32);
HWY_EXPORT(integers_16);
HWY_EXPORT(range_f32);
HWY_EXPORT(range_16);
HWY_EXPORT(real_s8);
HWY_EXPORT(real_u8);
HWY_EXPORT(bins_f32);
HWY_EXPORT(bins_16);

void fake_quant(int64_t n, const float* x, const GridRow& g, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(fake_f32)(n, x, g, y);
}
void fake_quant(int64_t n, const Bf16* x, const GridRow& g, Bf16* y) noexcept {
  HWY_DYNAMIC_DISPATCH(fake_16)(n, x, g, y);
}
void fake_quant_gradient(int64_t n, const float* x, const GridRow& g, const float* gy, bool a, float* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gradient_f32)(n, x, g, gy, a, gx);
}
void fake_quant_gradient(int64_t n, const Bf16* x, const GridRow& g, const Bf16* gy, bool a, Bf16* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gradient_16)(n, x, g, gy, a, gx);
}
void quantize(int64_t n, const float* x, const GridRow& g, uint8_t* q) noexcept {
  HWY_DYNAMIC_DISPATCH(integers_f32)(n, x, g, q);
}
void quantize(int64_t n, const Bf16* x, const GridRow& g, uint8_t* q) noexcept {
  HWY_DYNAMIC_DISPATCH(integers_16)(n, x, g, q);
}
void dequantize(int64_t n, const int8_t* q, const GridRow& g, float* x) noexcept {
  HWY_DYNAMIC_DISPATCH(real_s8)(n, q, g, x);
}
void dequantize(int64_t n, const uint8_t* q, const GridRow& g, float* x) noexcept {
  HWY_DYNAMIC_DISPATCH(real_u8)(n, q, g, x);
}
void range(int64_t n, const float* x, float& least, float& most) noexcept {
  HWY_DYNAMIC_DISPATCH(range_f32)(n, x, least, most);
}
void range(int64_t n, const Bf16* x, float& least, float& most) noexcept {
  HWY_DYNAMIC_DISPATCH(range_16)(n, x, least, most);
}
void bins(int64_t n, const float* x, float least, float per_unit, int32_t last, int32_t* bin) noexcept {
  HWY_DYNAMIC_DISPATCH(bins_f32)(n, x, least, per_unit, last, bin);
}
void bins(int64_t n, const Bf16* x, float least, float per_unit, int32_t last, int32_t* bin) noexcept {
  HWY_DYNAMIC_DISPATCH(bins_16)(n, x, least, per_unit, last, bin);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(fake_f64);
HWY_EXPORT(gradient_f64);
void fake_quant(int64_t n, const double* x, const GridRow& g, double* y) noexcept {
  HWY_DYNAMIC_DISPATCH(fake_f64)(n, x, g, y);
}
void fake_quant_gradient(int64_t n, const double* x, const GridRow& g, const double* gy, bool a, double* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gradient_f64)(n, x, g, gy, a, gx);
}
#endif
}  // namespace espalier::kernels
#endif
