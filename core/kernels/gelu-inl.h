// SPDX-License-Identifier: Apache-2.0
// The normal distribution, compiled once per instruction set: what GELU consists of.
#if defined(ESPALIER_KERNELS_GELU_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_GELU_INL_H
#undef ESPALIER_KERNELS_GELU_INL_H
#else
#define ESPALIER_KERNELS_GELU_INL_H
#endif

#include <cmath>
#include <type_traits>

#include "core/kernels/vec-inl.h"
#include "hwy/contrib/math/math-inl.h"

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

// x Phi(x).
template <class D, class V>
HWY_INLINE V gelu_of(D d, V x) {
  auto cdf = x, density = x;
  normal(d, x, cdf, density);
  return hn::Mul(x, cdf);
}

// The same of N vectors in less time, for who rounds it to a multiple of something larger: for |x| up to
// quick_gelu_error / quick_gelu_relative, the error is below quick_gelu_error, beyond below |x| quick_gelu_relative.
// From gelu_fit.py.
constexpr float quick_gelu_error = 6e-6F, quick_gelu_relative = 6e-7F;
template <class D, class V, int N>
HWY_INLINE void quick_gelu_of(D d, const V (&x)[N], V (&y)[N]) {
  constexpr float p[] = {1.4136374788e-01F, -7.0298232750e-02F, 5.1525397592e-02F, -4.0391985332e-02F,
                         3.1356718701e-02F, -2.3624942952e-02F, 1.6910156483e-02F, -1.0165484546e-02F,
                         5.1132382963e-03F, -3.8868325429e-03F, 3.1944721703e-03F, -1.0963735923e-03F};
  const auto inner = [&](int k) HWY_ATTR { return hn::Min(hn::Max(x[k], hn::Set(d, -5.0F)), hn::Set(d, 5.0F)); };
  V u[N];
  for (int k = 0; k < N; ++k) {
    u[k] = hn::MulSub(hn::Mul(inner(k), inner(k)), hn::Set(d, 0.08F), hn::Set(d, 1.0F));
    y[k] = hn::MulAdd(hn::Set(d, p[11]), u[k], hn::Set(d, p[10]));
  }
  for (int i = 9; i >= 0; --i)
    for (int k = 0; k < N; ++k) y[k] = hn::MulAdd(y[k], u[k], hn::Set(d, p[i]));
  for (int k = 0; k < N; ++k)
    y[k] = hn::Mul(hn::Max(x[k], hn::Set(d, -5.0F)), hn::MulAdd(inner(k), y[k], hn::Set(d, 0.5F)));
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
