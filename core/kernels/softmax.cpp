// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/softmax.h"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/softmax.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/vec-inl.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

constexpr int64_t softmax_piece = 4096;  // terms that are summed in T

template <class T>
HWY_INLINE T largest_of(int64_t n, const T* HWY_RESTRICT x) {
  const hn::ScalableTag<T> d;
  T most = x[0];
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  if (n >= lanes) {
    auto v = hn::LoadU(d, x);
    for (i = lanes; i + lanes <= n; i += lanes) v = hn::Max(v, hn::LoadU(d, x + i));
    most = hn::GetLane(hn::MaxOfLanes(d, v));
  }
  for (; i < n; ++i) most = std::max(most, x[i]);
  return most;
}

// Sum over all i of f(d, i), piece by piece in f64.
template <class T, class F>
HWY_INLINE double sum_in_pieces(int64_t n, F&& f) {
  double total = 0;
  for (int64_t first = 0; first < n; first += softmax_piece)
    total += static_cast<double>(sum_lanes<T>(static_cast<size_t>(std::min(softmax_piece, n - first)),
                                              [&](auto d, size_t i)
                                                  HWY_ATTR { return f(d, static_cast<size_t>(first) + i); }));
  return total;
}

template <class T>
HWY_INLINE double log_sum_exp_any(int64_t n, const T* HWY_RESTRICT x, T sharpness) {
  const T largest = largest_of(n, x);
  const double sum = sum_in_pieces<T>(n, [&](auto d, size_t i) HWY_ATTR {
    return hn::Exp(d, hn::Mul(hn::Sub(hn::LoadU(d, x + i), hn::Set(d, largest)), hn::Set(d, sharpness)));
  });
  return static_cast<double>(largest) * static_cast<double>(sharpness) + std::log(sum);
}

template <class T>
HWY_INLINE void probabilities_any(int64_t n, T sharpness, double log_sum, T scale, T* HWY_RESTRICT x) {
  const T shift = static_cast<T>(log_sum);
  for_lanes<T>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const auto log_p = hn::Sub(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, sharpness)), hn::Set(d, shift));
    hn::StoreU(hn::Mul(hn::Exp(d, log_p), hn::Set(d, scale)), d, x + i);
  });
}

template <class T>
HWY_INLINE double divergence_any(int64_t n, const T* HWY_RESTRICT t, double log_sum_t, T sharpness, double log_sum,
                                 T scale, T* HWY_RESTRICT x) {
  const T shift_t = static_cast<T>(log_sum_t), shift = static_cast<T>(log_sum);
  return sum_in_pieces<T>(n, [&](auto d, size_t i) HWY_ATTR {
    const auto s = hn::Set(d, sharpness);
    const auto log_p = hn::Sub(hn::Mul(hn::LoadU(d, t + i), s), hn::Set(d, shift_t)),
               log_q = hn::Sub(hn::Mul(hn::LoadU(d, x + i), s), hn::Set(d, shift)), p = hn::Exp(d, log_p);
    hn::StoreU(hn::Mul(hn::Sub(hn::Exp(d, log_q), p), hn::Set(d, scale)), d, x + i);
    return hn::Mul(p, hn::Sub(log_p, log_q));
  });
}

double log_sum_f32(int64_t n, const float* x, float sharpness) { return log_sum_exp_any(n, x, sharpness); }
void probabilities_f32(int64_t n, float sharpness, double log_sum, float scale, float* x) {
  probabilities_any(n, sharpness, log_sum, scale, x);
}
double divergence_f32(int64_t n, const float* t, double log_sum_t, float sharpness, double log_sum, float scale,
                      float* x) {
  return divergence_any(n, t, log_sum_t, sharpness, log_sum, scale, x);
}
#if HWY_HAVE_FLOAT64  // not in WebAssembly
double log_sum_f64(int64_t n, const double* x, double sharpness) { return log_sum_exp_any(n, x, sharpness); }
void probabilities_f64(int64_t n, double sharpness, double log_sum, double scale, double* x) {
  probabilities_any(n, sharpness, log_sum, scale, x);
}
double divergence_f64(int64_t n, const double* t, double log_sum_t, double sharpness, double log_sum, double scale,
                      double* x) {
  return divergence_any(n, t, log_sum_t, sharpness, log_sum, scale, x);
}
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(log_sum_f32);
HWY_EXPORT(probabilities_f32);
HWY_EXPORT(divergence_f32);

double log_sum_exp(int64_t n, const float* x, float sharpness) noexcept {
  return HWY_DYNAMIC_DISPATCH(log_sum_f32)(n, x, sharpness);
}
void probabilities(int64_t n, float sharpness, double log_sum, float scale, float* x) noexcept {
  HWY_DYNAMIC_DISPATCH(probabilities_f32)(n, sharpness, log_sum, scale, x);
}
double divergence(int64_t n, const float* t, double log_sum_t, float sharpness, double log_sum, float scale,
                  float* x) noexcept {
  return HWY_DYNAMIC_DISPATCH(divergence_f32)(n, t, log_sum_t, sharpness, log_sum, scale, x);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(log_sum_f64);
HWY_EXPORT(probabilities_f64);
HWY_EXPORT(divergence_f64);
double log_sum_exp(int64_t n, const double* x, double sharpness) noexcept {
  return HWY_DYNAMIC_DISPATCH(log_sum_f64)(n, x, sharpness);
}
void probabilities(int64_t n, double sharpness, double log_sum, double scale, double* x) noexcept {
  HWY_DYNAMIC_DISPATCH(probabilities_f64)(n, sharpness, log_sum, scale, x);
}
double divergence(int64_t n, const double* t, double log_sum_t, double sharpness, double log_sum, double scale,
                  double* x) noexcept {
  return HWY_DYNAMIC_DISPATCH(divergence_f64)(n, t, log_sum_t, sharpness, log_sum, scale, x);
}
#endif
}  // namespace espalier::kernels
#endif
