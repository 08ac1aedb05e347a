// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gemm_int8.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/kernels/amx_product.h"
#include "core/kernels/gemm_int8_native.h"
#include "core/kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gemm_int8.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/vec-inl.h"
#include "hwy/cache_control.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// Of a tile: two sums each and what they are made of just fit into the registers of AVX2, or of what V8 makes of
// WebAssembly.
constexpr int64_t most_rows = HWY_ARCH_WASM ? 4 : 6;

#if HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
// Without dot products of bytes: they are widened to 16 bits, whose products and sums of two fit into 32, so nothing
// saturates. A quad gives two sums, which x86 and WebAssembly add in the same instruction and NEON at the end.
constexpr int64_t most_quads = 256;  // that are widened at a time: 8 kB

// The products of R rows, widened, with a vector of columns, added to `sums`, panel_columns a row, unless they begin.
template <int R>
HWY_INLINE void tile(bool begin, int64_t quads, const int16_t* x, const uint32_t* b, int32_t* sums) {
  const hn::CappedTag<int32_t, panel_columns> d;  // a panel is a whole number of vectors
  const hn::Repartition<int16_t, decltype(d)> d16;
  const hn::Rebind<int8_t, decltype(d16)> d8;
  const hn::Repartition<uint64_t, decltype(d)> d64;
  const auto half = static_cast<int64_t>(hn::Lanes(d8));
  // Two sums for each of the vector's lower and upper columns; NEON has four, half of them in the others.
  hn::VFromD<decltype(d)> low[R], high[R], other_low[R], other_high[R];
  for (int r = 0; r < R; ++r) low[r] = high[r] = other_low[r] = other_high[r] = hn::Zero(d);
  for (int64_t q = 0; q < quads; ++q, x += 4, b += panel_columns) {
    const auto* const bytes = reinterpret_cast<const int8_t*>(b);
    hwy::Prefetch(b + prefetch_distance);
    const auto b_low = hn::PromoteTo(d16, hn::LoadU(d8, bytes)),
               b_high = hn::PromoteTo(d16, hn::LoadU(d8, bytes + half));
    for (int r = 0; r < R; ++r) {
      uint64_t quad = 0;
      std::memcpy(&quad, x + r * most_quads * 4, sizeof quad);
      const auto a = hn::BitCast(d16, hn::Set(d64, quad));
      low[r] = hn::ReorderWidenMulAccumulate(d, a, b_low, low[r], other_low[r]);
      high[r] = hn::ReorderWidenMulAccumulate(d, a, b_high, high[r], other_high[r]);
#if HWY_ARCH_X86
      __asm__("" : "+v"(low[r].raw), "+v"(high[r].raw));  // g++ 12 would make all products first and spill the sums
#endif
    }
  }
  for (int r = 0; r < R; ++r) {
    const auto twos = hn::RearrangeToOddPlusEven(low[r], other_low[r]),
               upper_twos = hn::RearrangeToOddPlusEven(high[r], other_high[r]);
    const auto sum = hn::Add(hn::ConcatEven(d, upper_twos, twos), hn::ConcatOdd(d, upper_twos, twos));
    int32_t* const to = sums + r * panel_columns;
    hn::StoreU(begin ? sum : hn::Add(hn::LoadU(d, to), sum), d, to);
  }
}

// to[4 * quads] = a row of A, or the quads of it that `index` names.
void widen(int64_t quads, const uint8_t* from, const int32_t* index, int16_t* to) {
  if (index != nullptr) {
    const hn::CappedTag<int16_t, 4> d16;
    const hn::Rebind<uint8_t, decltype(d16)> d8;
    for (int64_t q = 0; q < quads; ++q)
      hn::StoreU(hn::PromoteTo(d16, hn::LoadU(d8, from + 4 * index[q])), d16, to + 4 * q);
    return;
  }
  const hn::ScalableTag<int16_t> d16;
  const hn::Rebind<uint8_t, decltype(d16)> d8;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d16));
  const int64_t bytes = 4 * quads;
  int64_t i = 0;
  for (; i + lanes <= bytes; i += lanes) hn::StoreU(hn::PromoteTo(d16, hn::LoadU(d8, from + i)), d16, to + i);
  for (; i < bytes; ++i) to[i] = from[i];
}

// sums = R rows of A, the first of them at `a`, with a panel of B.
template <int R>
void rows_by_panel(const Int8Product& g, const uint8_t* a, const uint32_t* b, int32_t* sums) {
  HWY_ALIGN int16_t x[R * most_quads * 4];
  for (int64_t first = 0; first == 0 || first < g.quads; first += most_quads) {
    const int64_t quads = std::min(most_quads, g.quads - first);
    for (int r = 0; r < R; ++r)
      widen(quads, a + r * g.lda + (g.index != nullptr ? 0 : 4 * first), g.index != nullptr ? g.index + first : nullptr,
            x + r * most_quads * 4);
    const hn::CappedTag<int32_t, panel_columns> d;
    for (int64_t c = 0; c < panel_columns; c += static_cast<int64_t>(hn::Lanes(d)))
      tile<R>(first == 0, quads, x, b + first * panel_columns + c, sums + c);
  }
}
#else
// In lanes of 32 bits; rows share the widened columns.
template <int R>
void rows_by_panel(const Int8Product& g, const uint8_t* a, const uint32_t* b, int32_t* sums) {
  const hn::CappedTag<int32_t, panel_columns> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  for (int64_t c = 0; c < panel_columns; c += static_cast<int64_t>(hn::Lanes(d))) {
    hn::VFromD<decltype(d)> sum[R];
    for (int r = 0; r < R; ++r) sum[r] = hn::Zero(d);
    for (int64_t q = 0; q < g.quads; ++q) {
      const auto four = hn::LoadU(du, b + q * panel_columns + c);
      const auto b0 = hn::ShiftRight<24>(hn::BitCast(d, hn::ShiftLeft<24>(four))),
                 b1 = hn::ShiftRight<24>(hn::BitCast(d, hn::ShiftLeft<16>(four))),
                 b2 = hn::ShiftRight<24>(hn::BitCast(d, hn::ShiftLeft<8>(four))),
                 b3 = hn::ShiftRight<24>(hn::BitCast(d, four));
      for (int r = 0; r < R; ++r) {
        const uint8_t* const x = a + r * g.lda + 4 * g.at(q);
        const auto first = hn::Add(hn::Mul(hn::Set(d, x[0]), b0), hn::Mul(hn::Set(d, x[1]), b1));
        sum[r] = hn::Add(sum[r], hn::Add(first, hn::Add(hn::Mul(hn::Set(d, x[2]), b2), hn::Mul(hn::Set(d, x[3]), b3))));
      }
    }
    for (int r = 0; r < R; ++r) hn::StoreU(sum[r], d, sums + r * panel_columns + c);
  }
}
#endif

void widened(const Int8Product& g) {
  constexpr decltype(&rows_by_panel<1>) by_rows[] = {rows_by_panel<1>, rows_by_panel<2>, rows_by_panel<3>,
                                                     rows_by_panel<4>, rows_by_panel<5>, rows_by_panel<6>};
  HWY_ALIGN int32_t sums[most_rows * panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns)
    for (int64_t row = 0, rows = 0, tiles = (g.m + most_rows - 1) / most_rows; tiles > 0; row += rows, --tiles) {
      rows = (g.m - row + tiles - 1) / tiles;  // as evenly as can be: columns are widened once per tile
      by_rows[rows - 1](g, g.a + row * g.lda, g.b + column * g.quads, sums);
      put_sums(g, row, rows, column, sums);
    }
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(widened);

void gemm_int8(const Int8Product& product) noexcept {
  if (amx_int8_works() && (product.index == nullptr || product.group % tile_steps == 0)) return gemm_int8_amx(product);
  if (has_avx512_vnni()) return gemm_int8_vnni(product);
  if (avx_vnni_works()) return gemm_int8_avx_vnni(product);
  if (i8mm_works()) return gemm_int8_i8mm(product);
  if (dotprod_works()) return gemm_int8_dotprod(product);
  if (product.bits <= 7 && relaxed_dots_work()) return gemm_int8_relaxed(product);
  if (product.narrow.group > 0 && gemm_int8_narrows()) return gemm_int8_narrow(product);
  HWY_DYNAMIC_DISPATCH(widened)(product);
}

int64_t gemm_int8_group() { return amx_int8_works() ? tile_steps : 1; }

bool gemm_int8_narrows() { return only_avx2(); }

int64_t gemm_int8_rows() { return amx_int8_works() ? 2 * tile_rows : 24; }

void pack_rows_int8(int64_t rows, int64_t k, const int8_t* w, int64_t ldw, uint32_t* panel) noexcept {
  if (k % 4 == 0 && ldw % 4 == 0 && reinterpret_cast<uintptr_t>(w) % 4 == 0) {
    if (rows < panel_columns) std::fill_n(panel, quads_of(k) * panel_columns, 0U);
    return transpose_pairs(rows, k / 4, reinterpret_cast<const uint32_t*>(w), ldw / 4, panel, panel_columns);
  }
  std::fill_n(panel, quads_of(k) * panel_columns, 0U);
  for (int64_t q = 0; q < quads_of(k); ++q)
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(panel + q * panel_columns + r, w + r * ldw + 4 * q,
                  static_cast<size_t>(std::min<int64_t>(4, k - 4 * q)));
}

const char* gemm_int8_kernel() {
  if (amx_int8_works()) return "AMX";
  if (has_avx512_vnni()) return "AVX-512 VNNI";
  if (avx_vnni_works()) return "AVX-VNNI";
  if (i8mm_works()) return "i8mm";
  if (dotprod_works()) return "dot products";
  if (relaxed_dots_work()) return "relaxed dot products up to 7 bits, 16-bit products beyond";
  static const std::string name = "16-bit products on " + current_isa();
  return name.c_str();
}

}  // namespace espalier::kernels
#endif
