// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/attention.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/dropout-inl.h"
#include "core/kernels/small_gemm-inl.h"
#include "core/kernels/transpose-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

constexpr int64_t query_block = 64;
constexpr int64_t padded(int64_t n) { return (n + 15) / 16 * 16; }  // a multiple of every vector length in use

// x[L, D] into y[L, padded D] times scale; the padding is zero.
template <class T, class X>
HWY_INLINE void widen(int64_t length, int64_t head_size, const X* x, int64_t stride, T scale, T* HWY_RESTRICT y) {
  const int64_t width = padded(head_size);
  for (int64_t i = 0; i < length; ++i, x += stride, y += width) {
    for_lanes<T>(static_cast<size_t>(head_size),
                 [&](auto d, size_t c) HWY_ATTR { hn::StoreU(hn::Mul(load(d, x + c), hn::Set(d, scale)), d, y + c); });
    std::fill(y + head_size, y + width, T{0});
  }
}

// x[L, D] times scale into y[D, padded L]; the padding is zero.
template <class T, class X>
HWY_INLINE void transpose(int64_t length, int64_t head_size, const X* x, int64_t stride, T scale, T* HWY_RESTRICT y) {
  const auto scaled = [&](auto d, int64_t r, int64_t c) HWY_ATTR {
    return r < length ? hn::Mul(load(d, x + r * stride + c), hn::Set(d, scale)) : hn::Zero(d);
  };
  transpose_fours(padded(length), head_size, scaled, y, padded(length));
}

template <class T, class X>
HWY_INLINE void narrow(int64_t length, int64_t head_size, const T* HWY_RESTRICT x, bool accumulate, X* y,
                       int64_t stride, T scale) {
  const int64_t width = padded(head_size);
  for (int64_t i = 0; i < length; ++i, x += width, y += stride)
    for_lanes<T>(static_cast<size_t>(head_size), [&](auto d, size_t c) HWY_ATTR {
      const auto v = hn::Mul(hn::LoadU(d, x + c), hn::Set(d, scale));
      store(d, accumulate ? hn::Add(v, load(d, y + c)) : v, y + c);
    });
}

// Scores from j on, a vector; those beyond the sentence are below all others, so that their probability is zero.
template <class D, class T = hn::TFromD<D>>
HWY_INLINE hn::VFromD<D> scores_at(D d, int64_t j, int64_t length, const T* HWY_RESTRICT s) {
  const auto v = hn::LoadU(d, s + j);
  if (j + static_cast<int64_t>(hn::Lanes(d)) <= length) return v;
  return hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(length - j)), v,
                        hn::Set(d, std::numeric_limits<T>::lowest()));
}

template <class T>
HWY_INLINE T largest_score(int64_t length, const T* HWY_RESTRICT s) {
  const hn::ScalableTag<T> d;
  auto most = scores_at(d, 0, length, s);
  for (auto j = static_cast<int64_t>(hn::Lanes(d)); j < length; j += static_cast<int64_t>(hn::Lanes(d)))
    most = hn::Max(most, scores_at(d, j, length, s));
  return hn::GetLane(hn::MaxOfLanes(d, most));
}

// s = exp(s - shift) of a whole row; returns the sum.
template <class T>
HWY_INLINE T exponentials(int64_t length, T shift, T* HWY_RESTRICT s) {
  const hn::ScalableTag<T> d;
  auto sum = hn::Zero(d);
  for (int64_t j = 0; j < length; j += static_cast<int64_t>(hn::Lanes(d))) {
    const auto e = hn::Exp(d, hn::Sub(scores_at(d, j, length, s), hn::Set(d, shift)));
    hn::StoreU(e, d, s + j);
    sum = hn::Add(sum, e);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// The dropout multipliers of row after row of one head: element (row, j) of a [rows, max_length] array whose rows are
// padded to 16 elements, so that short rows share a block of random numbers.
template <class T>
class KeepRows {
 public:
  KeepRows(const Dropout& dropout, int64_t max_length) : dropout_(dropout), row_elements_(padded(max_length)) {}

  // keep[0 … padded length)
  HWY_INLINE void fill(int64_t row, int64_t length, T* HWY_RESTRICT keep) {
    const int64_t first = row * row_elements_;
    for (int64_t j = 0; j < length; j += 16) {
      const int64_t block = (first + j) / static_cast<int64_t>(dropout_block),
                    in_block = (first + j) % static_cast<int64_t>(dropout_block);
      if (block != block_) dropout_multipliers(dropout_, static_cast<uint64_t>(block_ = block), multipliers_);
      for (int64_t c = 0; c < 16; ++c) keep[j + c] = static_cast<T>(multipliers_[in_block + c]);
    }
  }

 private:
  const Dropout& dropout_;
  int64_t row_elements_, block_ = -1;
  alignas(64) float multipliers_[dropout_block];
};

// x[L, D] as the products read it, and the distance of its rows: in place if it can be, else in `copy`.
template <class T>
struct Rows {
  const T* x;
  int64_t stride;

  template <class X>
  HWY_INLINE Rows(int64_t length, int64_t head_size, const X* from, int64_t from_stride, bool to_padding, T* copy)
      : x(copy), stride(padded(head_size)) {
    if constexpr (std::is_same_v<T, X>) {
      if (!to_padding || padded(head_size) == head_size) {
        x = from;
        stride = from_stride;
        return;
      }
    }
    widen(length, head_size, from, from_stride, T{1}, copy);
  }
};

template <class T, class X>
void forward(const AttentionHead<T, X>& h) {
  const int64_t length = h.length, queries = h.queries > 0 ? h.queries : length, width = padded(h.head_size),
                tall = padded(length);
  T* const kt = h.scratch + 2 * length * width;
  T* const s = kt + h.head_size * tall;
  T* const o = s + query_block * tall;
  T* const keep = o + query_block * width;
  KeepRows<T> keep_rows(h.dropout, h.max_length);
  const Rows<T> q(queries, h.head_size, h.q, h.qkv_stride, false, h.scratch);
  const Rows<T> v(length, h.head_size, h.v, h.qkv_stride, true, h.scratch + length * width);
  transpose(length, h.head_size, h.k, h.qkv_stride, T{1} / std::sqrt(static_cast<T>(h.head_size)), kt);
  for (int64_t first = 0; first < queries; first += query_block) {
    const int64_t rows = std::min(query_block, queries - first);
    T sums[query_block];
    small_gemm<T>({rows, tall, h.head_size, q.x + first * q.stride, q.stride, 1, kt, tall, s, tall, false});
    for (int64_t r = 0; r < rows; ++r) {
      T* const row = s + r * tall;
      const T largest = largest_score(length, row);
      sums[r] = exponentials(length, largest, row);
      if (h.log_sum_exp != nullptr) h.log_sum_exp[(first + r) * h.lse_stride] = largest + std::log(sums[r]);
      if (!h.dropout) continue;
      keep_rows.fill(h.first_row + first + r, length, keep);
      for_lanes<T>(static_cast<size_t>(length), [&](auto d, size_t j) HWY_ATTR {
        hn::StoreU(hn::Mul(hn::LoadU(d, row + j), hn::LoadU(d, keep + j)), d, row + j);
      });
    }
    small_gemm<T>({rows, width, length, s, tall, 1, v.x, v.stride, o, width, false});
    for (int64_t r = 0; r < rows; ++r)
      narrow(1, h.head_size, o + r * width, false, h.out + (first + r) * h.out_stride, h.out_stride, T{1} / sums[r]);
  }
}

// With P the probabilities, M the dropout multipliers and dO the gradient of the output: dV = (P M)^T dO, dP = (dO V^T)
// M, dS = P (dP - rowsum(dO O)), dQ = dS K / sqrt D, dK = dS^T Q / sqrt D.
template <class T, class X>
void backward(const AttentionHead<T, X>& h) {
  const int64_t length = h.length, width = padded(h.head_size), tall = padded(length), all = length * width;
  T* const q = h.scratch;
  T* const k = q + all;
  T* const kt = k + all;
  T* const vt = kt + h.head_size * tall;
  T* const go = vt + h.head_size * tall;
  T* const gq = go + all;
  T* const gk = gq + query_block * width;
  T* const gv = gk + all;
  T* const s = gv + all;
  T* const gp = s + query_block * tall;
  T* const keep = gp + query_block * tall;
  KeepRows<T> keep_rows(h.dropout, h.max_length);
  const T scale = T{1} / std::sqrt(static_cast<T>(h.head_size));
  transpose(length, h.head_size, h.v, h.qkv_stride, T{1}, vt);
  transpose(length, h.head_size, h.k, h.qkv_stride, scale, kt);
  widen(length, h.head_size, h.k, h.qkv_stride, T{1}, k);
  widen(length, h.head_size, h.q, h.qkv_stride, T{1}, q);
  widen(length, h.head_size, h.g_out, h.out_stride, T{1}, go);
  for (int64_t first = 0; first < length; first += query_block) {
    const int64_t rows = std::min(query_block, length - first);
    const bool add = first > 0;
    const T* const go_rows = go + first * width;
    small_gemm<T>({rows, tall, h.head_size, q + first * width, width, 1, kt, tall, s, tall, false});
    small_gemm<T>({rows, tall, h.head_size, go_rows, width, 1, vt, tall, gp, tall, false});
    for (int64_t r = 0; r < rows; ++r) {
      T* const p = s + r * tall;
      T* const g = gp + r * tall;
      exponentials(length, h.log_sum_exp[(first + r) * h.lse_stride], p);
      if (h.dropout) keep_rows.fill(h.first_row + first + r, length, keep);
      const X* const out = h.out + (first + r) * h.out_stride;
      const T total = sum_lanes<T>(static_cast<size_t>(h.head_size), [&](auto d, size_t c) HWY_ATTR {
        return hn::Mul(load(d, out + c), hn::LoadU(d, go_rows + r * width + static_cast<int64_t>(c)));
      });
      for_lanes<T>(static_cast<size_t>(length), [&](auto d, size_t j) HWY_ATTR {
        const auto kept = h.dropout ? hn::LoadU(d, keep + j) : hn::Set(d, T{1});
        const auto pj = hn::LoadU(d, p + j);
        hn::StoreU(hn::Mul(pj, hn::Sub(hn::Mul(hn::LoadU(d, g + j), kept), hn::Set(d, total))), d, g + j);
        hn::StoreU(hn::Mul(pj, kept), d, p + j);
      });
      std::fill(g + length, g + tall, T{0});
    }
    small_gemm<T>({length, width, rows, s, 1, tall, go_rows, width, gv, width, add});
    small_gemm<T>({length, width, rows, gp, 1, tall, q + first * width, width, gk, width, add});
    small_gemm<T>({rows, width, length, gp, tall, 1, k, width, gq, width, false});
    narrow(rows, h.head_size, gq, h.accumulate, h.g_q + first * h.qkv_stride, h.qkv_stride, scale);
  }
  narrow(length, h.head_size, gk, h.accumulate, h.g_k, h.qkv_stride, scale);
  narrow(length, h.head_size, gv, h.accumulate, h.g_v, h.qkv_stride, T{1});
}

void attention_forward_f32(const AttentionHead<float, float>& h) { forward(h); }
void attention_forward_bf16(const AttentionHead<float, Bf16>& h) { forward(h); }
void attention_backward_f32(const AttentionHead<float, float>& h) { backward(h); }
void attention_backward_bf16(const AttentionHead<float, Bf16>& h) { backward(h); }
#if HWY_HAVE_FLOAT64  // not in WebAssembly
void attention_forward_f64(const AttentionHead<double, double>& h) { forward(h); }
void attention_backward_f64(const AttentionHead<double, double>& h) { backward(h); }
#endif

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(attention_forward_f32);
HWY_EXPORT(attention_forward_bf16);
HWY_EXPORT(attention_backward_f32);
HWY_EXPORT(attention_backward_bf16);

int64_t attention_scratch(int64_t length, int64_t head_size) {
  const int64_t width = (head_size + 15) / 16 * 16, tall = (length + 15) / 16 * 16, block = 64;
  return 5 * length * width + 2 * head_size * tall + (2 * block + 1) * tall + block * width;
}
void attention_forward(const AttentionHead<float, float>& h) noexcept {
  HWY_DYNAMIC_DISPATCH(attention_forward_f32)(h);
}
void attention_forward(const AttentionHead<float, Bf16>& h) noexcept {
  HWY_DYNAMIC_DISPATCH(attention_forward_bf16)(h);
}
void attention_backward(const AttentionHead<float, float>& h) noexcept {
  HWY_DYNAMIC_DISPATCH(attention_backward_f32)(h);
}
void attention_backward(const AttentionHead<float, Bf16>& h) noexcept {
  HWY_DYNAMIC_DISPATCH(attention_backward_bf16)(h);
}
#if HWY_HAVE_FLOAT64
HWY_EXPORT(attention_forward_f64);
HWY_EXPORT(attention_backward_f64);
void attention_forward(const AttentionHead<double, double>& h) noexcept {
  HWY_DYNAMIC_DISPATCH(attention_forward_f64)(h);
}
void attention_backward(const AttentionHead<double, double>& h) noexcept {
  HWY_DYNAMIC_DISPATCH(attention_backward_f64)(h);
}
#endif
}  // namespace espalier::kernels
#endif
