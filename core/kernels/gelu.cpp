// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gelu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gelu.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/gelu-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

template <class T, class X>
void forward(int64_t n, const X* HWY_RESTRICT x, X* HWY_RESTRICT y) {
  for_lanes<T>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR { store(d, gelu_of(d, load(d, x + i)), y + i); });
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

template <class X>
void in_place(int64_t rows, int64_t n, X* x, int64_t stride) {
  for (int64_t r = 0; r < rows; ++r, x += stride)
    for_lanes<float>(static_cast<size_t>(n),
                     [&](auto d, size_t i) HWY_ATTR { store(d, gelu_of(d, load(d, x + i)), x + i); });
}

void gelu_rows_f32(int64_t rows, int64_t n, float* x, int64_t stride) { in_place(rows, n, x, stride); }
void gelu_rows_bf16(int64_t rows, int64_t n, Bf16* x, int64_t stride) { in_place(rows, n, x, stride); }
void gelu_forward_f32(int64_t n, const float* x, float* y) { forward<float>(n, x, y); }
void gelu_forward_bf16(int64_t n, const Bf16* x, Bf16* y) { forward<float>(n, x, y); }
void gelu_backward_f32(int64_t n, const float* x, const float* gy, bool add, float* gx) {
  backward<float>(n, x, gy, add, gx);
}
void gelu_backward_bf16(int64_t n, const Bf16* x, const Bf16* gy, bool add, Bf16* gx) {
  backward<float>(n, x, gy, add, gx);
}
#if HWY_HAVE_FLOAT64  // not in WebAssembly
void gelu_forward_f64(int64_t n, const double* x, double* y) { forward<double>(n, x, y); }
void gelu_backward_f64(int64_t n, const double* x, const double* gy, bool add, double* gx) {
  backward<double>(n, x, gy, add, gx);
}
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(gelu_forward_f32);
HWY_EXPORT(gelu_forward_bf16);
HWY_EXPORT(gelu_rows_f32);
HWY_EXPORT(gelu_rows_bf16);
HWY_EXPORT(gelu_backward_f32);
HWY_EXPORT(gelu_backward_bf16);

void gelu_forward(int64_t n, const float* x, float* y) noexcept { HWY_DYNAMIC_DISPATCH(gelu_forward_f32)(n, x, y); }
void gelu_forward(int64_t n, const Bf16* x, Bf16* y) noexcept { HWY_DYNAMIC_DISPATCH(gelu_forward_bf16)(n, x, y); }
void gelu_rows(int64_t rows, int64_t n, float* x, int64_t stride) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_rows_f32)(rows, n, x, stride);
}
void gelu_rows(int64_t rows, int64_t n, Bf16* x, int64_t stride) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_rows_bf16)(rows, n, x, stride);
}
void gelu_backward(int64_t n, const float* x, const float* gy, bool accumulate, float* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward_f32)(n, x, gy, accumulate, gx);
}
void gelu_backward(int64_t n, const Bf16* x, const Bf16* gy, bool accumulate, Bf16* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward_bf16)(n, x, gy, accumulate, gx);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(gelu_forward_f64);
HWY_EXPORT(gelu_backward_f64);
void gelu_forward(int64_t n, const double* x, double* y) noexcept { HWY_DYNAMIC_DISPATCH(gelu_forward_f64)(n, x, y); }
void gelu_backward(int64_t n, const double* x, const double* gy, bool accumulate, double* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(gelu_backward_f64)(n, x, gy, accumulate, gx);
}
#endif
}  // namespace espalier::kernels
#endif
