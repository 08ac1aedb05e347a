// SPDX-License-Identifier: Apache-2.0
// The vector form of the Philox dropout, compiled once per instruction set.
#if defined(ESPALIER_KERNELS_DROPOUT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_KERNELS_DROPOUT_INL_H
#undef ESPALIER_KERNELS_DROPOUT_INL_H
#else
#define ESPALIER_KERNELS_DROPOUT_INL_H
#endif

#include <array>

#include "core/kernels/vec-inl.h"
#include "core/rng.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

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
