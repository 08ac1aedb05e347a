// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gemm_bf16.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/kernels/amx_product.h"
#include "core/kernels/gemm_bf16_native.h"
#include "core/kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gemm_bf16.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/transpose-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// The two halves of pairs, as floats.
template <class D>
HWY_INLINE hn::VFromD<D> first_of(D d, hn::VFromD<hn::RebindToUnsigned<D>> pairs) {
  return hn::BitCast(d, hn::ShiftLeft<16>(pairs));
}
template <class D>
HWY_INLINE hn::VFromD<D> second_of(D d, hn::VFromD<hn::RebindToUnsigned<D>> pairs) {
  return hn::BitCast(d, hn::And(pairs, hn::Set(hn::RebindToUnsigned<D>(), 0xffff0000U)));
}

// Without bf16 hardware: widen and multiply in f32; four rows share the widened columns.
void emulated(const Bf16Product& g) {
  constexpr int64_t most = 4;
  const hn::ScalableTag<float> d;  // a panel is a whole number of vectors
  const hn::RebindToUnsigned<decltype(d)> du;
  HWY_ALIGN float line[most][panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const int64_t columns = std::min(panel_columns, g.n - column);
    const uint32_t* const b = g.b + column * g.pairs;
    for (int64_t row = 0; row < g.m; row += most) {
      const int64_t rows = std::min(most, g.m - row);
      for (int64_t c = 0; c < panel_columns; c += static_cast<int64_t>(hn::Lanes(d))) {
        auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
        const auto add = [&](auto sum, int64_t r, int64_t p, auto lo, auto hi) HWY_ATTR {
          const auto x = hn::Set(du, r < rows ? g.a[(row + r) * g.a_row + g.at(p)] : 0U);
          return hn::MulAdd(second_of(d, x), hi, hn::MulAdd(first_of(d, x), lo, sum));
        };
        for (int64_t p = 0; p < g.pairs; ++p) {
          const auto pairs = hn::LoadU(du, b + p * panel_columns + c);
          const auto lo = first_of(d, pairs), hi = second_of(d, pairs);
          s0 = add(s0, 0, p, lo, hi);
          s1 = add(s1, 1, p, lo, hi);
          s2 = add(s2, 2, p, lo, hi);
          s3 = add(s3, 3, p, lo, hi);
        }
        hn::StoreU(s0, d, line[0] + c);
        hn::StoreU(s1, d, line[1] + c);
        hn::StoreU(s2, d, line[2] + c);
        hn::StoreU(s3, d, line[3] + c);
      }
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 0; c < columns; ++c) {
          const int64_t at = (row + r) * g.ldc + column + c;
          float v = line[r][c] + (g.bias != nullptr ? g.bias[column + c] : 0);
          if (g.c16 != nullptr)
            g.c16[at] = Bf16(g.accumulate ? v + static_cast<float>(g.c16[at]) : v);
          else
            g.c[at] = g.accumulate ? g.c[at] + v : v;
        }
    }
  }
}

// Two rounded values as a pair.
template <class D>
HWY_INLINE hn::VFromD<hn::RebindToUnsigned<D>> pair_of(D d, hn::VFromD<D> first, hn::VFromD<D> second) {
  const auto high = hn::And(rounded_to_bf16(d, second), hn::Set(hn::RebindToUnsigned<D>(), 0xffff0000U));
  return hn::Or(hn::ShiftRight<16>(rounded_to_bf16(d, first)), high);
}

template <class T>
HWY_INLINE void pack_columns(int64_t begin, int64_t end, int64_t n, const T* HWY_RESTRICT x, int64_t ldx, int64_t pairs,
                             uint32_t* HWY_RESTRICT panels) {
  for (int64_t k = begin; k < end; k += 2) {
    const T* const x0 = x + k * ldx;
    const T* const x1 = k + 1 < end ? x0 + ldx : nullptr;
    for (int64_t column = 0; column < n; column += panel_columns) {
      uint32_t* const out = panels + column * pairs + k / 2 * panel_columns;
      const int64_t columns = std::min(panel_columns, n - column);
      for_lanes<float>(static_cast<size_t>(columns), [&](auto d, size_t c) HWY_ATTR {
        const hn::RebindToUnsigned<decltype(d)> du;
        const auto at = column + static_cast<int64_t>(c);
        hn::StoreU(pair_of(d, load(d, x0 + at), x1 != nullptr ? load(d, x1 + at) : hn::Zero(d)), du, out + c);
      });
      std::fill(out + columns, out + panel_columns, 0U);
    }
  }
}

HWY_NOINLINE void transpose(int64_t rows, int64_t cols, const uint32_t* HWY_RESTRICT x, int64_t ldx,
                            uint32_t* HWY_RESTRICT y, int64_t ldy) {
  const int64_t fours = rows / 4 * 4;
  transpose_fours(
      fours, cols, [&](auto d, int64_t r, int64_t c) HWY_ATTR { return hn::LoadU(d, x + r * ldx + c); }, y, ldy);
  for (int64_t r = fours; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) y[c * ldy + r] = x[r * ldx + c];
}

// Blocks of 16 pairs by 32 rows are rounded row by row, then turned.
void pack_rows(int64_t rows, int64_t k, const float* HWY_RESTRICT w, int64_t ldw, uint32_t* HWY_RESTRICT panel) {
  constexpr int64_t block = 16;
  HWY_ALIGN uint32_t pairs[panel_columns * block] = {};
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t first = 0; first < k; first += 2 * block) {
    const int64_t width = std::min(2 * block, k - first);
    for (int64_t r = 0; r < rows; ++r) {
      const float* const from = w + r * ldw + first;
      uint32_t* const to = pairs + r * block;
      if (width == 2 * block && 2 * block % (2 * lanes) == 0) {
        for (int64_t c = 0; c < 2 * block; c += 2 * lanes) {
          hn::VFromD<decltype(d)> even, odd;
          hn::LoadInterleaved2(d, from + c, even, odd);
          hn::StoreU(pair_of(d, even, odd), du, to + c / 2);
        }
      } else {
        std::fill_n(to, block, 0U);
        for (int64_t c = 0; c < width; ++c) to[c / 2] |= static_cast<uint32_t>(Bf16(from[c]).bits) << (c % 2 * 16);
      }
    }
    transpose(panel_columns, pairs_of(width), pairs, block, panel + first / 2 * panel_columns, panel_columns);
  }
}

void pack_columns_f32(int64_t b, int64_t e, int64_t n, const float* x, int64_t ldx, int64_t pairs, uint32_t* panels) {
  pack_columns(b, e, n, x, ldx, pairs, panels);
}
void pack_columns_16(int64_t b, int64_t e, int64_t n, const Bf16* x, int64_t ldx, int64_t pairs, uint32_t* panels) {
  pack_columns(b, e, n, x, ldx, pairs, panels);
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(emulated);
HWY_EXPORT(pack_rows);
HWY_EXPORT(transpose);
HWY_EXPORT(pack_columns_f32);
HWY_EXPORT(pack_columns_16);

void gemm_bf16(const Bf16Product& product) noexcept {
  if (amx_works() && (product.index == nullptr || product.group % tile_steps == 0)) return gemm_bf16_amx(product);
  if (has_avx512_bf16()) return gemm_bf16_avx512(product);
  HWY_DYNAMIC_DISPATCH(emulated)(product);
}

void transpose_pairs(int64_t rows, int64_t cols, const uint32_t* x, int64_t ldx, uint32_t* y, int64_t ldy) noexcept {
  HWY_DYNAMIC_DISPATCH(transpose)(rows, cols, x, ldx, y, ldy);
}
void pack_rows_bf16(int64_t rows, int64_t k, const float* w, int64_t ldw, uint32_t* panel) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_rows)(rows, k, w, ldw, panel);
}
void pack_columns_bf16(int64_t begin, int64_t end, int64_t n, const float* x, int64_t ldx, int64_t pairs,
                       uint32_t* panels) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_columns_f32)(begin, end, n, x, ldx, pairs, panels);
}
void pack_columns_bf16(int64_t begin, int64_t end, int64_t n, const Bf16* x, int64_t ldx, int64_t pairs,
                       uint32_t* panels) noexcept {
  HWY_DYNAMIC_DISPATCH(pack_columns_16)(begin, end, n, x, ldx, pairs, panels);
}

int64_t gemm_bf16_group() { return amx_works() ? tile_steps : 1; }

bool has_native_bf16() { return amx_works() || has_avx512_bf16(); }

const char* gemm_bf16_kernel() {
  static std::string emulation;
  if (amx_works()) return "AMX";
  if (has_avx512_bf16()) return "AVX-512 BF16";
  emulation = "emulated on " + current_isa();
  return emulation.c_str();
}
}  // namespace espalier::kernels
#endif
