// SPDX-License-Identifier: Apache-2.0
// The activations, compiled once per instruction set: a type each, with the value and the slope of a vector.
#if defined(ESPALIER_KERNELS_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_ACTIVATION_INL_H
#undef ESPALIER_KERNELS_ACTIVATION_INL_H
#else
#define ESPALIER_KERNELS_ACTIVATION_INL_H
#endif

#include <type_traits>

#include "core/activation.h"
#include "core/kernels/gelu-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/contrib/math/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// 1 / (1 + exp(-z)), and 0 where the exponential would overflow.
template <class D, class V>
HWY_INLINE V sigmoid(D d, V z) {
  const auto least = hn::Set(d, std::is_same_v<hn::TFromD<D>, double> ? -700 : -87), one = hn::Set(d, 1);
  const auto s = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(hn::Max(z, least)))));
  return hn::IfThenElse(hn::Lt(z, least), hn::Zero(d), s);
}

struct NoneOf {
  template <class D, class V>
  HWY_INLINE static V value(D /*d*/, V x) {
    return x;
  }
  template <class D, class V>
  HWY_INLINE static V slope(D d, V /*x*/) {
    return hn::Set(d, 1);
  }
};

struct GeluOf {
  template <class D, class V>
  HWY_INLINE static V value(D d, V x) {
    return gelu_of(d, x);
  }
  template <class D, class V>
  HWY_INLINE static V slope(D d, V x) {
    auto cdf = x, density = x;
    normal(d, x, cdf, density);
    return hn::MulAdd(x, density, cdf);
  }
};

struct ReluOf {  // a NaN stays one
  template <class D, class V>
  HWY_INLINE static V value(D d, V x) {
    return hn::IfThenElseZero(hn::Not(hn::Le(x, hn::Zero(d))), x);
  }
  template <class D, class V>
  HWY_INLINE static V slope(D d, V x) {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Set(d, 1));
  }
};

// x sigmoid(2 u) for u = sqrt(2 / pi) (x + 0.044715 x^3), which is 0.5 x (1 + tanh u).
struct GeluNewOf {
  static constexpr double a = 1.5957691216057308, b = a * 0.044715;  // 2 u = a x + b x^3
  template <class D, class V>
  HWY_INLINE static V sigmoid_of(D d, V x) {
    using T = hn::TFromD<D>;
    const auto square = hn::Mul(x, x);
    return sigmoid(d, hn::Mul(x, hn::MulAdd(square, hn::Set(d, T(b)), hn::Set(d, T(a)))));
  }
  template <class D, class V>
  HWY_INLINE static V value(D d, V x) {
    return hn::Mul(x, sigmoid_of(d, x));
  }
  template <class D, class V>
  HWY_INLINE static V slope(D d, V x) {
    using T = hn::TFromD<D>;
    const auto v = hn::Min(hn::Max(x, hn::Set(d, -20)), hn::Set(d, 20));  // beyond, the slope is 0 or 1
    const auto s = sigmoid_of(d, v);
    const auto inner = hn::Mul(v, hn::MulAdd(hn::Mul(v, v), hn::Set(d, T(3 * b)), hn::Set(d, T(a))));
    return hn::MulAdd(hn::Mul(s, hn::Sub(hn::Set(d, T(1)), s)), inner, s);
  }
};

struct SiluOf {
  template <class D, class V>
  HWY_INLINE static V value(D d, V x) {
    return hn::Mul(x, sigmoid(d, x));
  }
  template <class D, class V>
  HWY_INLINE static V slope(D d, V x) {
    const auto s = sigmoid(d, x);
    return hn::MulAdd(hn::Mul(s, hn::Sub(hn::Set(d, 1), s)), x, s);
  }
};

// f(the activation's type).
template <class F>
HWY_INLINE void with_activation(Activation activation, const F& f) {
  switch (activation) {
    case Activation::none:
      return f(NoneOf{});
    case Activation::gelu:
      return f(GeluOf{});
    case Activation::relu:
      return f(ReluOf{});
    case Activation::gelu_new:
      return f(GeluNewOf{});
    case Activation::silu:
      return f(SiluOf{});
  }
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
