// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/elementwise.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/elementwise.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/dropout-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

template <class From, class Into>
HWY_INLINE void convert_any(int64_t n, const From* HWY_RESTRICT x, Into* HWY_RESTRICT y) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR { store(d, load(d, x + i), y + i); });
}

template <class T>
HWY_INLINE void add_any(int64_t n, const T* HWY_RESTRICT x, T* HWY_RESTRICT y) {
  for_lanes<T>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, x + i), hn::LoadU(d, y + i)), d, y + i);
  });
}

template <class X, class T>
HWY_INLINE void column_sums_any(int64_t rows, int64_t cols, int64_t stride, const X* HWY_RESTRICT x, bool accumulate,
                                T* HWY_RESTRICT y) {
  for_lanes<T>(static_cast<size_t>(cols), [&](auto d, size_t c) HWY_ATTR {
    auto sum = accumulate ? hn::LoadU(d, y + c) : hn::Zero(d);
    for (int64_t row = 0; row < rows; ++row) sum = hn::Add(sum, load(d, x + row * stride + static_cast<int64_t>(c)));
    hn::StoreU(sum, d, y + c);
  });
}

double squares(int64_t n, const float* HWY_RESTRICT x) {
  constexpr int64_t piece = 4096;  // sums of this many squares are taken in f32
  double total = 0;
  for (int64_t first = 0; first < n; first += piece) {
    const float* p = x + first;
    total += static_cast<double>(
        sum_lanes<float>(static_cast<size_t>(std::min(piece, n - first)), [&](auto d, size_t i) HWY_ATTR {
          const auto v = hn::LoadU(d, p + i);
          return hn::Mul(v, v);
        }));
  }
  return total;
}

template <class T>
HWY_INLINE void dropout_any(const Dropout& dropout, int64_t cols, int64_t begin, int64_t end, const T* HWY_RESTRICT x,
                            bool accumulate, T* HWY_RESTRICT y) {
  alignas(64) float keep[dropout_block];
  for (int64_t row = begin; row < end; ++row) {
    const uint64_t first = dropout_row(row, cols);
    for (int64_t c = 0; c < cols; ++c) {
      const auto in_block = static_cast<size_t>(c) % dropout_block;
      if (in_block == 0) dropout_multipliers(dropout, first + static_cast<uint64_t>(c) / dropout_block, keep);
      const T v = x[row * cols + c] * static_cast<T>(keep[in_block]);
      y[row * cols + c] = accumulate ? y[row * cols + c] + v : v;
    }
  }
}

void to_bf16(int64_t n, const float* x, Bf16* y) { convert_any(n, x, y); }
void to_f32(int64_t n, const Bf16* x, float* y) { convert_any(n, x, y); }
void add_f32(int64_t n, const float* x, float* y) { add_any(n, x, y); }
void columns_f32(int64_t rows, int64_t cols, int64_t stride, const float* x, bool a, float* y) {
  column_sums_any(rows, cols, stride, x, a, y);
}
void columns_bf16(int64_t rows, int64_t cols, int64_t stride, const Bf16* x, bool a, float* y) {
  column_sums_any(rows, cols, stride, x, a, y);
}
void dropout_f32(const Dropout& p, int64_t c, int64_t b, int64_t e, const float* x, bool a, float* y) {
  dropout_any(p, c, b, e, x, a, y);
}
#if HWY_HAVE_FLOAT64  // not in WebAssembly
void add_f64(int64_t n, const double* x, double* y) { add_any(n, x, y); }
void columns_f64(int64_t rows, int64_t cols, int64_t stride, const double* x, bool a, double* y) {
  column_sums_any(rows, cols, stride, x, a, y);
}
void dropout_f64(const Dropout& p, int64_t c, int64_t b, int64_t e, const double* x, bool a, double* y) {
  dropout_any(p, c, b, e, x, a, y);
}
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(to_bf16);
HWY_EXPORT(to_f32);
HWY_EXPORT(add_f32);
HWY_EXPORT(columns_f32);
HWY_EXPORT(columns_bf16);
HWY_EXPORT(squares);
HWY_EXPORT(dropout_f32);

void convert(int64_t n, const float* x, Bf16* y) noexcept { HWY_DYNAMIC_DISPATCH(to_bf16)(n, x, y); }
void convert(int64_t n, const Bf16* x, float* y) noexcept { HWY_DYNAMIC_DISPATCH(to_f32)(n, x, y); }
void add(int64_t n, const float* x, float* y) noexcept { HWY_DYNAMIC_DISPATCH(add_f32)(n, x, y); }
void column_sums(int64_t rows, int64_t cols, int64_t stride, const float* x, bool accumulate, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(columns_f32)(rows, cols, stride, x, accumulate, y);
}
void column_sums(int64_t rows, int64_t cols, int64_t stride, const Bf16* x, bool accumulate, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(columns_bf16)(rows, cols, stride, x, accumulate, y);
}
double sum_of_squares(int64_t n, const float* x) noexcept { return HWY_DYNAMIC_DISPATCH(squares)(n, x); }
void dropout_rows(const Dropout& dropout, int64_t cols, int64_t begin, int64_t end, const float* x, bool accumulate,
                  float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(dropout_f32)(dropout, cols, begin, end, x, accumulate, y);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(add_f64);
HWY_EXPORT(columns_f64);
HWY_EXPORT(dropout_f64);
void add(int64_t n, const double* x, double* y) noexcept { HWY_DYNAMIC_DISPATCH(add_f64)(n, x, y); }
void column_sums(int64_t rows, int64_t cols, int64_t stride, const double* x, bool accumulate, double* y) noexcept {
  HWY_DYNAMIC_DISPATCH(columns_f64)(rows, cols, stride, x, accumulate, y);
}
void dropout_rows(const Dropout& dropout, int64_t cols, int64_t begin, int64_t end, const double* x, bool accumulate,
                  double* y) noexcept {
  HWY_DYNAMIC_DISPATCH(dropout_f64)(dropout, cols, begin, end, x, accumulate, y);
}
#endif
}  // namespace espalier::kernels
#endif
