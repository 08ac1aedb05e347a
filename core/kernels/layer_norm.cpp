// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/layer_norm.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/dropout-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// Calls f(first, n, keep) for the blocks of a row; keep holds n dropout multipliers, or is null without dropout.
template <class T, class F>
HWY_INLINE void for_dropout_blocks(const Dropout& dropout, int64_t row, int64_t cols, F&& f) {
  if (!dropout) return f(size_t{0}, static_cast<size_t>(cols), static_cast<const T*>(nullptr));
  alignas(64) float keep[dropout_block];
  alignas(64) T wide[dropout_block];
  const uint64_t block = dropout_row(row, cols);
  for (size_t c = 0; c < static_cast<size_t>(cols); c += dropout_block) {
    dropout_multipliers(dropout, block + c / dropout_block, keep);
    for (size_t i = 0; i < dropout_block; ++i) wide[i] = static_cast<T>(keep[i]);
    f(c, std::min(dropout_block, static_cast<size_t>(cols) - c), static_cast<const T*>(wide));
  }
}

template <class T, class X>
void forward(const LayerNormRows<T, X>& a, int64_t begin, int64_t end) {
  const auto n = static_cast<size_t>(a.cols);
  const T inverse = T{1} / static_cast<T>(a.cols);
  for (int64_t row = begin; row < end; ++row) {
    const T* HWY_RESTRICT residual = a.residual + row * a.cols;
    T* HWY_RESTRICT y = a.y + row * a.cols;
    const T* z = residual;
    if (a.x != nullptr) {
      const X* HWY_RESTRICT x = a.x + row * a.cols;
      for_dropout_blocks<T>(a.dropout, row, a.cols, [&](size_t first, size_t count, const T* keep) HWY_ATTR {
        for_lanes<T>(count, [&](auto d, size_t i) HWY_ATTR {
          const auto v = load(d, x + first + i), r = hn::LoadU(d, residual + first + i);
          hn::StoreU(keep != nullptr ? hn::MulAdd(v, hn::LoadU(d, keep + i), r) : hn::Add(v, r), d, y + first + i);
        });
      });
      z = y;
    }
    const T mean = sum_lanes<T>(n, [&](auto d, size_t i) HWY_ATTR { return hn::LoadU(d, z + i); }) * inverse;
    const T variance = sum_lanes<T>(n,
                                    [&](auto d, size_t i) HWY_ATTR {
                                      const auto c = hn::Sub(hn::LoadU(d, z + i), hn::Set(d, mean));
                                      return hn::Mul(c, c);
                                    }) *
                       inverse;
    const T rstd = T{1} / std::sqrt(variance + a.eps);
    T* HWY_RESTRICT xhat = a.xhat != nullptr ? a.xhat + row * a.cols : nullptr;
    for_lanes<T>(n, [&](auto d, size_t i) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(hn::LoadU(d, z + i), hn::Set(d, mean)), hn::Set(d, rstd));
      if (xhat != nullptr) hn::StoreU(h, d, xhat + i);
      hn::StoreU(hn::MulAdd(h, hn::LoadU(d, a.gamma + i), hn::LoadU(d, a.beta + i)), d, y + i);
    });
    if (a.rstd != nullptr) a.rstd[row] = rstd;
  }
}

// With g = gy gamma: gz = rstd (g - mean g - xhat mean(g xhat)).
template <class T, class X>
void backward(const LayerNormGradRows<T, X>& a, int64_t begin, int64_t end, T* HWY_RESTRICT g_gamma,
              T* HWY_RESTRICT g_beta) {
  const auto n = static_cast<size_t>(a.cols);
  const T inverse = T{1} / static_cast<T>(a.cols);
  for (int64_t row = begin; row < end; ++row) {
    const T* HWY_RESTRICT gy = a.gy + row * a.cols;
    const T* HWY_RESTRICT xhat = a.xhat + row * a.cols;
    for_lanes<T>(n, [&](auto d, size_t i) HWY_ATTR {
      const auto g = hn::LoadU(d, gy + i);
      hn::StoreU(hn::MulAdd(g, hn::LoadU(d, xhat + i), hn::LoadU(d, g_gamma + i)), d, g_gamma + i);
      hn::StoreU(hn::Add(g, hn::LoadU(d, g_beta + i)), d, g_beta + i);
    });
    const T mean_g =
        sum_lanes<T>(
            n, [&](auto d, size_t i) HWY_ATTR { return hn::Mul(hn::LoadU(d, gy + i), hn::LoadU(d, a.gamma + i)); }) *
        inverse;
    const T mean_gx =
        sum_lanes<T>(n,
                     [&](auto d, size_t i) HWY_ATTR {
                       return hn::Mul(hn::Mul(hn::LoadU(d, gy + i), hn::LoadU(d, a.gamma + i)), hn::LoadU(d, xhat + i));
                     }) *
        inverse;
    const T rstd = a.rstd[row];
    T* g_residual = a.g_residual != nullptr ? a.g_residual + row * a.cols : nullptr;
    X* g_x = a.g_x != nullptr ? a.g_x + row * a.cols : nullptr;
    for_dropout_blocks<T>(
        g_x != nullptr ? a.dropout : Dropout{}, row, a.cols, [&](size_t first, size_t count, const T* keep) HWY_ATTR {
          for_lanes<T>(count, [&](auto d, size_t i) HWY_ATTR {
            const size_t c = first + i;
            const auto g = hn::Mul(hn::LoadU(d, gy + c), hn::LoadU(d, a.gamma + c));
            const auto centred =
                hn::NegMulAdd(hn::LoadU(d, xhat + c), hn::Set(d, mean_gx), hn::Sub(g, hn::Set(d, mean_g)));
            const auto gz = hn::Mul(centred, hn::Set(d, rstd));
            if (g_residual != nullptr)
              hn::StoreU(a.accumulate_residual ? hn::Add(gz, hn::LoadU(d, g_residual + c)) : gz, d, g_residual + c);
            if (g_x != nullptr) {
              const auto gx = keep != nullptr ? hn::Mul(gz, hn::LoadU(d, keep + i)) : gz;
              store(d, a.accumulate_x ? hn::Add(gx, load(d, g_x + c)) : gx, g_x + c);
            }
          });
        });
  }
}

void forward_f32(const LayerNormRows<float, float>& a, int64_t b, int64_t e) { forward(a, b, e); }
void forward_bf16(const LayerNormRows<float, Bf16>& a, int64_t b, int64_t e) { forward(a, b, e); }
void backward_f32(const LayerNormGradRows<float, float>& a, int64_t b, int64_t e, float* gg, float* gb) {
  backward(a, b, e, gg, gb);
}
void backward_bf16(const LayerNormGradRows<float, Bf16>& a, int64_t b, int64_t e, float* gg, float* gb) {
  backward(a, b, e, gg, gb);
}
#if HWY_HAVE_FLOAT64  // not in WebAssembly
void forward_f64(const LayerNormRows<double, double>& a, int64_t b, int64_t e) { forward(a, b, e); }
void backward_f64(const LayerNormGradRows<double, double>& a, int64_t b, int64_t e, double* gg, double* gb) {
  backward(a, b, e, gg, gb);
}
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(forward_f32);
HWY_EXPORT(forward_bf16);
HWY_EXPORT(backward_f32);
HWY_EXPORT(backward_bf16);

void layer_norm_forward(const LayerNormRows<float, float>& a, int64_t begin, int64_t end) noexcept {
  HWY_DYNAMIC_DISPATCH(forward_f32)(a, begin, end);
}
void layer_norm_forward(const LayerNormRows<float, Bf16>& a, int64_t begin, int64_t end) noexcept {
  HWY_DYNAMIC_DISPATCH(forward_bf16)(a, begin, end);
}
void layer_norm_backward(const LayerNormGradRows<float, float>& a, int64_t begin, int64_t end, float* g_gamma,
                         float* g_beta) noexcept {
  HWY_DYNAMIC_DISPATCH(backward_f32)(a, begin, end, g_gamma, g_beta);
}
void layer_norm_backward(const LayerNormGradRows<float, Bf16>& a, int64_t begin, int64_t end, float* g_gamma,
                         float* g_beta) noexcept {
  HWY_DYNAMIC_DISPATCH(backward_bf16)(a, begin, end, g_gamma, g_beta);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(forward_f64);
HWY_EXPORT(backward_f64);
void layer_norm_forward(const LayerNormRows<double, double>& a, int64_t begin, int64_t end) noexcept {
  HWY_DYNAMIC_DISPATCH(forward_f64)(a, begin, end);
}
void layer_norm_backward(const LayerNormGradRows<double, double>& a, int64_t begin, int64_t end, double* g_gamma,
                         double* g_beta) noexcept {
  HWY_DYNAMIC_DISPATCH(backward_f64)(a, begin, end, g_gamma, g_beta);
}
#endif
}  // namespace espalier::kernels
#endif
