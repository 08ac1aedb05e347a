// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gelu.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gelu.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/vec-inl.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// Phi(x) and phi(x), the normal distribution and its density. With z = |x| / sqrt 2: erfc(z) = exp(-z^2) g(t), t = 1 /
// (1 + 0.4 z), with the polynomial g from erfcx_fit.py; the same exponential gives the density.
template <class D, class V>
HWY_INLINE void normal(D d, V x, V& cdf, V& density) {
  using T = hn::TFromD<D>;
  if constexpr (std::is_same_v<T, double>) {
    HWY_ALIGN double in[hn::MaxLanes(d)], c[hn::MaxLanes(d)], p[hn::MaxLanes(d)];
    hn::Store(x, d, in);
    for (size_t i = 0; i < hn::Lanes(d); ++i) {
      c[i] = 0.5 * std::erfc(-in[i] * 0.70710678118654752);
      p[i] = 0.39894228040143268 * std::exp(-0.5 * in[i] * in[i]);
    }
    cdf = hn::Load(d, c);
    density = hn::Load(d, p);
  } else {
    constexpr float g[] = {-8.4469956792e-06F, 2.2590593753e-01F, 2.2291839783e-01F,  2.2678425464e-01F,
                           8.5883782678e-02F,  3.7902847539e-01F, -4.5964908326e-01F, 7.3805113729e-01F,
                           -6.3069404826e-01F, 2.5053193154e-01F, -3.8752337495e-02F};
    const auto size = hn::Min(hn::Abs(x), hn::Set(d, 40.0F));
    const auto t = hn::Div(hn::Set(d, 1.0F), hn::MulAdd(size, hn::Set(d, 0.4F * 0.70710678F), hn::Set(d, 1.0F)));
    auto sum = hn::Set(d, g[10]);
    for (int i = 9; i >= 0; --i) sum = hn::MulAdd(sum, t, hn::Set(d, g[i]));
    const auto e = hn::Exp(d, hn::Mul(hn::Mul(size, size), hn::Set(d, -0.5F)));
    const auto tail = hn::Mul(hn::Mul(sum, e), hn::Set(d, 0.5F));  // Phi(-|x|)
    cdf = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(hn::Set(d, 1.0F), tail));
    density = hn::Mul(e, hn::Set(d, 0.39894228F));
  }
}

template <class T, class X>
void forward(int64_t n, const X* HWY_RESTRICT x, X* HWY_RESTRICT y) {
  for_lanes<T>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto v = load(d, x + i);
    auto cdf = v, density = v;
    normal(d, v, cdf, density);
    store(d, hn::Mul(v, cdf), y + i);
  });
}

template <class T, class X>
void backward(int64_t n, const X* HWY_RESTRICT x, const X* HWY_RESTRICT gy, bool accumulate, X* HWY_RESTRICT gx) {
  for_lanes<T>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto v = load(d, x + i);
    auto cdf = v, density = v;
    normal(d, v, cdf, density);
    auto g = hn::Mul(load(d, gy + i), hn::MulAdd(v, density, cdf));
    if (accumulate) g = hn::Add(g, load(d, gx + i));
    store(d, g, gx + i);
  });
}

void gelu_forward_f32(int64_t n, const float* x, float* y) { forward<float>(n, x, y); }
void gelu_forward_f64(int64_t n, const double* x, double* y) { forward<double>(n, x, y); }
void gelu_forward_bf16(int64_t n, const Bf16* x, Bf16* y) { forward<float>(n, x, y); }
void gelu_backward_f32(int64_t n, const float* x, const float* gy, bool add, float* gx) {
  backward<float>(n, x, gy, add, gx);
}
void gelu_backward_f64(int64_t n, const double* x, const double* gy, bool add, double* gx) {
  backward<double>(n, x, gy, add, gx);
}
void gelu_backward_bf16(int64_t n, const Bf16* x, const Bf16* gy, bool add, Bf16* gx) {
  backward<float>(n, x, gy, add, gx);
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(gelu_forward_f32);
HWY_EXPORT(gelu_forward_f64);
HWY_EXPORT(gelu_forward_bf16);
HWY_EXPORT(gelu_backward_f32);
HWY_EXPORT(gelu_backward_f64);
HWY_EXPORT(gelu_backward_bf16);

void gelu_forward(int64_t n, const float* x, float* y) noexcept { HWY_DYNAMIC_DISPATCH(gelu_forward_f32)(n, x, y); }
void gelu_forward(int64_t n, const double* x, double* y) noexcept { HWY_DYNAMIC_DISPATCH(gelu_forward_f64)(n, x, y); }
void gelu_forward(int64_t n, const Bf16* x, Bf16* y) noexcept { HWY_DYNAMIC_DISPATCH(gelu_forward_bf16)(n, x, y); }
void gelu_backward(int64_t n, const float* x, const float* gy, bool accumulate, float* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward_f32)(n, x, gy, accumulate, gx);
}
void gelu_backward(int64_t n, const double* x, const double* gy, bool accumulate, double* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward_f64)(n, x, gy, accumulate, gx);
}
void gelu_backward(int64_t n, const Bf16* x, const Bf16* gy, bool accumulate, Bf16* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward_bf16)(n, x, gy, accumulate, gx);
}
}  // namespace espalier::kernels
#endif
