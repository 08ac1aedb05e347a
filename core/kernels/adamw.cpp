// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/adamw.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/adamw.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// The moments of a vector of weights after one step; what m is to be divided by.
template <class D, class V>
HWY_INLINE V update_moments(D d, const AdamWStep& s, V gradient, V& m, V& v) {
  m = hn::MulAdd(hn::Sub(gradient, m), hn::Set(d, s.rate1), m);
  v = hn::MulAdd(hn::Mul(gradient, gradient), hn::Set(d, s.rate2), hn::Mul(v, hn::Set(d, s.beta2)));
  return hn::MulAdd(hn::Sqrt(v), hn::Set(d, s.inverse_sqrt2), hn::Set(d, s.eps));
}

// One step for a vector of weights and their moments.
template <class D, class V>
HWY_INLINE void update(D d, const AdamWStep& s, V gradient, V& w, V& m, V& v) {
  const auto denominator = update_moments(d, s, gradient, m, v);
  w = hn::NegMulAdd(hn::Set(d, s.step_size), hn::Div(m, denominator), hn::Mul(w, hn::Set(d, s.decay)));
}

void adamw_any(const AdamWStep& s, int64_t n, const float* HWY_RESTRICT g, float* HWY_RESTRICT w, float* HWY_RESTRICT m,
               float* HWY_RESTRICT v) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto gradient = g != nullptr ? hn::Mul(hn::LoadU(d, g + i), hn::Set(d, s.gradient_scale)) : hn::Zero(d);
    auto w1 = hn::LoadU(d, w + i), m1 = hn::LoadU(d, m + i), v1 = hn::LoadU(d, v + i);
    update(d, s, gradient, w1, m1, v1);
    hn::StoreU(w1, d, w + i);
    hn::StoreU(m1, d, m + i);
    hn::StoreU(v1, d, v + i);
  });
}

// Where both moments are zero they stay so, and a step is only the decay: w - step_size * 0 / eps is w.
void replay(const AdamWStep* steps, int64_t count, int64_t n, float* HWY_RESTRICT w, float* HWY_RESTRICT m,
            float* HWY_RESTRICT v) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    auto w1 = hn::LoadU(d, w + i), m1 = hn::LoadU(d, m + i), v1 = hn::LoadU(d, v + i);
    if (hn::AllFalse(d, hn::Ne(hn::Or(m1, v1), hn::Zero(d)))) {
      for (int64_t k = 0; k < count; ++k) w1 = hn::Mul(w1, hn::Set(d, steps[k].decay));
      hn::StoreU(w1, d, w + i);
      return;
    }
    for (int64_t k = 0; k < count; ++k) update(d, steps[k], hn::Zero(d), w1, m1, v1);
    hn::StoreU(w1, d, w + i);
    hn::StoreU(m1, d, m + i);
    hn::StoreU(v1, d, v + i);
  });
}

void direction(const AdamWStep& s, int64_t n, const float* g, const float* HWY_RESTRICT w, float* HWY_RESTRICT m,
               float* HWY_RESTRICT v, float* u) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto gradient = g != nullptr ? hn::Mul(hn::LoadU(d, g + i), hn::Set(d, s.gradient_scale)) : hn::Zero(d);
    auto m1 = hn::LoadU(d, m + i), v1 = hn::LoadU(d, v + i);
    const auto denominator = update_moments(d, s, gradient, m1, v1);
    const auto adam = hn::Div(hn::Mul(m1, hn::Set(d, s.step_size)), denominator);
    hn::StoreU(m1, d, m + i);
    hn::StoreU(v1, d, v + i);
    hn::StoreU(hn::MulAdd(hn::LoadU(d, w + i), hn::Set(d, s.decay), adam), d, u + i);
  });
}

void along(float rate, int64_t n, const float* HWY_RESTRICT u, float* HWY_RESTRICT w) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    hn::StoreU(hn::NegMulAdd(hn::LoadU(d, u + i), hn::Set(d, rate), hn::LoadU(d, w + i)), d, w + i);
  });
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(adamw_any);
HWY_EXPORT(replay);
HWY_EXPORT(direction);
HWY_EXPORT(along);
void adamw(const AdamWStep& step, int64_t n, const float* g, float* w, float* m, float* v) noexcept {
  HWY_DYNAMIC_DISPATCH(adamw_any)(step, n, g, w, m, v);
}
void adamw_replay(const AdamWStep* steps, int64_t count, int64_t n, float* w, float* m, float* v) noexcept {
  HWY_DYNAMIC_DISPATCH(replay)(steps, count, n, w, m, v);
}
void lamb_direction(const AdamWStep& step, int64_t n, const float* g, const float* w, float* m, float* v,
                    float* u) noexcept {
  HWY_DYNAMIC_DISPATCH(direction)(step, n, g, w, m, v, u);
}
void step_along(float rate, int64_t n, const float* u, float* w) noexcept {
  HWY_DYNAMIC_DISPATCH(along)(rate, n, u, w);
}
}  // namespace espalier::kernels
#endif
