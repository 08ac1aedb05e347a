// SPDX-License-Identifier: Apache-2.0
// The bounds of the quick GELU in gelu-inl.h, from which int8_output.cpp concludes that integers are those of the exact
// one: they must hold with and without fused multiplication and addition.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/core/kernels/quick_gelu_test.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/gelu-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// Both GELUs of whole vectors.
void both_gelus(int64_t n, const float* x, float* quick, float* exact) {
  const hn::ScalableTag<float> d;
  for (int64_t i = 0; i < n; i += static_cast<int64_t>(hn::Lanes(d))) {
    const hn::VFromD<decltype(d)> in[1] = {hn::LoadU(d, x + i)};
    hn::VFromD<decltype(d)> out[1];
    quick_gelu_of(d, in, out);
    hn::StoreU(out[0], d, quick + i);
    hn::StoreU(gelu_of(d, in[0]), d, exact + i);
  }
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(both_gelus);
namespace {

TEST(QuickGelu, stays_within_its_bounds) {
  std::vector<float> x;
  for (int i = -(1 << 18); i < 1 << 18; ++i) x.push_back(static_cast<float>(i) * (12.0F / (1 << 18)));
  for (float v = 12; v < 1e6F; v *= 1.0001F) x.insert(x.end(), {v, -v});
  x.resize(x.size() / 16 * 16);
  std::vector<float> quick(x.size()), exact(x.size());
  for (const std::string& isa : available_isas()) {
    set_isa(isa);
    HWY_DYNAMIC_DISPATCH(both_gelus)(static_cast<int64_t>(x.size()), x.data(), quick.data(), exact.data());
    const float edge = HWY_STATIC_DISPATCH(quick_gelu_error) / HWY_STATIC_DISPATCH(quick_gelu_relative);
    float near = 0, far = 0;  // largest errors
    for (size_t i = 0; i < x.size(); ++i) {
      const float error = std::abs(quick[i] - exact[i]);
      if (std::abs(x[i]) <= edge)
        near = std::max(near, error);
      else
        far = std::max(far, error / std::abs(x[i]));
    }
    EXPECT_LT(near, HWY_STATIC_DISPATCH(quick_gelu_error)) << isa;
    EXPECT_LT(far, HWY_STATIC_DISPATCH(quick_gelu_relative)) << isa;
  }
  set_isa("");
}

}  // namespace
}  // namespace espalier::kernels
#endif
