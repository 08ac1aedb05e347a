// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/adamw.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/adamw.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

void adamw_any(const AdamWStep& s, int64_t n, const float* HWY_RESTRICT g, float* HWY_RESTRICT w, float* HWY_RESTRICT m,
               float* HWY_RESTRICT v) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto gradient = g != nullptr ? hn::Mul(hn::LoadU(d, g + i), hn::Set(d, s.gradient_scale)) : hn::Zero(d);
    const auto m0 = hn::LoadU(d, m + i);
    const auto m1 = hn::MulAdd(hn::Sub(gradient, m0), hn::Set(d, s.rate1), m0);
    const auto v1 =
        hn::MulAdd(hn::Mul(gradient, gradient), hn::Set(d, s.rate2), hn::Mul(hn::LoadU(d, v + i), hn::Set(d, s.beta2)));
    const auto denominator = hn::MulAdd(hn::Sqrt(v1), hn::Set(d, s.inverse_sqrt2), hn::Set(d, s.eps));
    const auto w1 = hn::Mul(hn::LoadU(d, w + i), hn::Set(d, s.decay));
    hn::StoreU(m1, d, m + i);
    hn::StoreU(v1, d, v + i);
    hn::StoreU(hn::NegMulAdd(hn::Set(d, s.step_size), hn::Div(m1, denominator), w1), d, w + i);
  });
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(adamw_any);
void adamw(const AdamWStep& step, int64_t n, const float* g, float* w, float* m, float* v) noexcept {
  HWY_DYNAMIC_DISPATCH(adamw_any)(step, n, g, w, m, v);
}
}  // namespace espalier::kernels
#endif
