// SPDX-License-Identifier: Apache-2.0
// What every kernel shares, compiled once per instruction set: loads and stores that widen bf16, loops over lanes with
// a one-lane tail, and the vector form of the Philox dropout. Kernels are serial, noexcept and allocate nothing.
#if defined(ESPALIER_KERNELS_VEC_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_VEC_INL_H
#undef ESPALIER_KERNELS_VEC_INL_H
#else
#define ESPALIER_KERNELS_VEC_INL_H
#endif

#include <type_traits>

#include "core/dtype.h"
#include "core/rng.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

template <class D, class T>
HWY_INLINE hn::VFromD<D> load(D d, const T* p) {
  if constexpr (std::is_same_v<T, Bf16>) {
    const hn::Rebind<uint16_t, D> half;
    const hn::RebindToUnsigned<D> du;
    return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du, hn::LoadU(half, &p->bits))));
  } else {
    return hn::LoadU(d, p);
  }
}

// Rounds to bf16, to nearest even, in the high half of each lane; the low half is of no use. NaNs stay NaNs.
template <class D>
HWY_INLINE hn::VFromD<hn::RebindToUnsigned<D>> rounded_to_bf16(D, hn::VFromD<D> v) {
  const hn::RebindToUnsigned<D> du;
  const auto bits = hn::BitCast(du, v);
  const auto sum = hn::Add(hn::Add(bits, hn::Set(du, 0x7fff)), hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1)));
  const auto is_nan = hn::RebindMask(du, hn::IsNaN(v));  // Ne(v, v) is false for a NaN on AVX
  return hn::IfThenElse(is_nan, hn::Or(bits, hn::Set(du, 0x400000)), sum);
}

template <class D, class T>
HWY_INLINE void store(D d, hn::VFromD<D> v, T* p) {
  if constexpr (std::is_same_v<T, Bf16>) {
    const hn::Rebind<uint16_t, D> half;
    const hn::RebindToSigned<D> di;
    hn::StoreU(hn::DemoteTo(half, hn::BitCast(di, hn::ShiftRight<16>(rounded_to_bf16(d, v)))), half, &p->bits);
  } else {
    hn::StoreU(v, d, p);
  }
}

// Calls f(d, i) for full vectors, then with one lane for what is left. f must be marked HWY_ATTR.
template <class T, class F>
HWY_INLINE void for_lanes(size_t n, F&& f) {
  const hn::ScalableTag<T> d;
  size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) f(d, i);
  const hn::CappedTag<T, 1> one;
  for (; i < n; ++i) f(one, i);
}

// Sum over i < n of f(d, i), a vector; the one-lane tail is added to the scalar.
template <class T, class F>
HWY_INLINE T sum_lanes(size_t n, F&& f) {
  const hn::ScalableTag<T> d;
  auto a = hn::Zero(d), b = hn::Zero(d);
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = hn::Add(a, f(d, i));
    b = hn::Add(b, f(d, i + lanes));
  }
  if (i + lanes <= n) {
    a = hn::Add(a, f(d, i));
    i += lanes;
  }
  T total = hn::GetLane(hn::SumOfLanes(d, hn::Add(a, b)));
  const hn::CappedTag<T, 1> one;
  for (; i < n; ++i) total += hn::GetLane(f(one, i));
  return total;
}

// Multipliers (0 or scale) of 64 consecutive elements, block by block: element w * 16 + j of a block is word w of
// counter 16 * block + j.
constexpr size_t dropout_block = 64;
HWY_INLINE void dropout_multipliers(const Dropout& dropout, uint64_t block, float* HWY_RESTRICT keep) {
  const std::array<uint32_t, 2> stream = {static_cast<uint32_t>(dropout.stream),
                                          static_cast<uint32_t>(dropout.stream >> 32)};
  std::array<uint32_t, 2> key = {static_cast<uint32_t>(dropout.seed), static_cast<uint32_t>(dropout.seed >> 32)};
#if HWY_TARGET == HWY_SCALAR
  for (size_t j = 0; j < 16; ++j) {
    const uint64_t counter = block * 16 + j;
    const auto words =
        philox({static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), stream[0], stream[1]}, key);
    for (size_t w = 0; w < 4; ++w) keep[w * 16 + j] = words[w] >= dropout.threshold() ? dropout.scale() : 0;
  }
#else
  const hn::ScalableTag<uint64_t> d64;
  const hn::Repartition<uint32_t, decltype(d64)> d32;
  const hn::Rebind<uint32_t, decltype(d64)> narrow;
  const hn::RebindToFloat<decltype(narrow)> df;
  using V = hn::VFromD<decltype(d64)>;
  const auto mul = [&](auto a, uint32_t m)
                       HWY_ATTR { return hn::MulEven(hn::BitCast(d32, a), hn::BitCast(d32, hn::Set(d64, m))); };
  const auto low = hn::Set(d64, 0xffffffffU);
  constexpr size_t lanes = hn::MaxLanes(d64), groups = 16 / lanes,
                   together = groups < 4 ? groups : 4;  // rounds of several vectors overlap
  const auto scale = hn::Set(df, dropout.scale());
  const auto threshold = hn::Set(narrow, dropout.threshold());
  const auto keys = key;
  for (size_t first = 0; first < 16; first += together * lanes, key = keys) {
    V c0[together], c1[together], c2[together], c3[together];
    for (size_t v = 0; v < together; ++v) {
      const auto counter = hn::Add(hn::Iota(d64, first + v * lanes), hn::Set(d64, block * 16));
      c0[v] = hn::And(counter, low);
      c1[v] = hn::ShiftRight<32>(counter);
      c2[v] = hn::Set(d64, stream[0]);
      c3[v] = hn::Set(d64, stream[1]);
    }
    for (int round = 0; round < 10; ++round) {
      const auto k0 = hn::Set(d64, key[0]), k1 = hn::Set(d64, key[1]);
      for (size_t v = 0; v < together; ++v) {
        const auto p0 = mul(c0[v], 0xD2511F53U), p1 = mul(c2[v], 0xCD9E8D57U);
        c0[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), c1[v]), k0);
        c1[v] = hn::And(p1, low);
        c2[v] = hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), c3[v]), k1);
        c3[v] = hn::And(p0, low);
      }
      key[0] += 0x9E3779B9U;
      key[1] += 0xBB67AE85U;
    }
    const auto emit = [&](auto word, size_t at) HWY_ATTR {
      const auto kept = hn::Not(hn::Lt(hn::TruncateTo(narrow, word), threshold));
      hn::StoreU(hn::IfThenElseZero(hn::RebindMask(df, kept), scale), df, keep + at);
    };
    for (size_t v = 0; v < together; ++v) {
      const size_t at = first + v * lanes;
      emit(c0[v], at);
      emit(c1[v], 16 + at);
      emit(c2[v], 32 + at);
      emit(c3[v], 48 + at);
    }
  }
#endif
}

// Number of the first dropout block of a row; rows begin at block boundaries.
HWY_INLINE uint64_t dropout_row(int64_t row, int64_t cols) {
  return static_cast<uint64_t>(row) * ((static_cast<uint64_t>(cols) + dropout_block - 1) / dropout_block);
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
