// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/activation.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/activation.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/activation-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

template <class T, class X>
void forward(Activation activation, int64_t n, const X* HWY_RESTRICT x, X* HWY_RESTRICT y) {
  with_activation(activation, [&](auto of) HWY_ATTR {
    for_lanes<T>(static_cast<size_t>(n),
                 [&](auto d, size_t i) HWY_ATTR { store(d, of.value(d, load(d, x + i)), y + i); });
  });
}

template <class T, class X>
void backward(Activation activation, int64_t n, const X* HWY_RESTRICT x, const X* HWY_RESTRICT gy, bool accumulate,
              X* HWY_RESTRICT gx) {
  with_activation(activation, [&](auto of) HWY_ATTR {
    for_lanes<T>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
      auto g = hn::Mul(load(d, gy + i), of.slope(d, load(d, x + i)));
      if (accumulate) g = hn::Add(g, load(d, gx + i));
      store(d, g, gx + i);
    });
  });
}

template <class X>
void in_place(Activation activation, int64_t rows, int64_t n, X* x, int64_t stride) {
  with_activation(activation, [&](auto of) HWY_ATTR {
    for (int64_t r = 0; r < rows; ++r)
      for_lanes<float>(static_cast<size_t>(n), [&, row = x + r * stride](auto d, size_t i)
                                                   HWY_ATTR { store(d, of.value(d, load(d, row + i)), row + i); });
  });
}

void rows_f32(Activation a, int64_t rows, int64_t n, float* x, int64_t stride) { in_place(a, rows, n, x, stride); }
void rows_bf16(Activation a, int64_t rows, int64_t n, Bf16* x, int64_t stride) { in_place(a, rows, n, x, stride); }
void forward_f32(Activation a, int64_t n, const float* x, float* y) { forward<float>(a, n, x, y); }
void forward_bf16(Activation a, int64_t n, const Bf16* x, Bf16* y) { forward<float>(a, n, x, y); }
void backward_f32(Activation a, int64_t n, const float* x, const float* gy, bool add, float* gx) {
  backward<float>(a, n, x, gy, add, gx);
}
void backward_bf16(Activation a, int64_t n, const Bf16* x, const Bf16* gy, bool add, Bf16* gx) {
  backward<float>(a, n, x, gy, add, gx);
}
#if HWY_HAVE_FLOAT64  // not in WebAssembly
void forward_f64(Activation a, int64_t n, const double* x, double* y) { forward<double>(a, n, x, y); }
void backward_f64(Activation a, int64_t n, const double* x, const double* gy, bool add, double* gx) {
  backward<double>(a, n, x, gy, add, gx);
}
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(forward_f32);
HWY_EXPORT(forward_bf16);
HWY_EXPORT(rows_f32);
HWY_EXPORT(rows_bf16);
HWY_EXPORT(backward_f32);
HWY_EXPORT(backward_bf16);

void activation_forward(Activation a, int64_t n, const float* x, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(forward_f32)(a, n, x, y);
}
void activation_forward(Activation a, int64_t n, const Bf16* x, Bf16* y) noexcept {
  HWY_DYNAMIC_DISPATCH(forward_bf16)(a, n, x, y);
}
void activation_rows(Activation a, int64_t rows, int64_t n, float* x, int64_t stride) noexcept {
  HWY_DYNAMIC_DISPATCH(rows_f32)(a, rows, n, x, stride);
}
void activation_rows(Activation a, int64_t rows, int64_t n, Bf16* x, int64_t stride) noexcept {
  HWY_DYNAMIC_DISPATCH(rows_bf16)(a, rows, n, x, stride);
}
void activation_backward(Activation a, int64_t n, const float* x, const float* gy, bool add, float* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(backward_f32)(a, n, x, gy, add, gx);
}
void activation_backward(Activation a, int64_t n, const Bf16* x, const Bf16* gy, bool add, Bf16* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(backward_bf16)(a, n, x, gy, add, gx);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(forward_f64);
HWY_EXPORT(backward_f64);
void activation_forward(Activation a, int64_t n, const double* x, double* y) noexcept {
  HWY_DYNAMIC_DISPATCH(forward_f64)(a, n, x, y);
}
void activation_backward(Activation a, int64_t n, const double* x, const double* gy, bool add, double* gx) noexcept {
  HWY_DYNAMIC_DISPATCH(backward_f64)(a, n, x, gy, add, gx);
}
#endif
}  // namespace espalier::kernels
#endif
