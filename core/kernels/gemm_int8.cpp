// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/gemm_int8.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/kernels/gemm_int8_vnni.h"
#include "core/kernels/isa.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/gemm_int8.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// Columns of quads of signed bytes, widened once for several rows, and their products with a quad of unsigned bytes. On
// x86 two products of 16 bits are added in one instruction that keeps the order of lanes; elsewhere lanes have 32 bits.
#if HWY_ARCH_X86 && HWY_TARGET != HWY_EMU128 && HWY_TARGET != HWY_SCALAR
template <class D>
struct Columns {
  using Half = hn::Repartition<int16_t, D>;
  hn::VFromD<Half> even, odd;  // bytes 0 and 2, bytes 1 and 3

  HWY_INLINE Columns(D, hn::VFromD<hn::RebindToUnsigned<D>> quads)
      : even(hn::ShiftRight<8>(hn::ShiftLeft<8>(hn::BitCast(Half(), quads)))),
        odd(hn::ShiftRight<8>(hn::BitCast(Half(), quads))) {}

  HWY_INLINE hn::VFromD<D> dot(D d, uint32_t quad) const {
    const hn::RebindToUnsigned<D> du;
    const auto x_even = hn::BitCast(Half(), hn::Set(du, quad & 0x00ff00ffU));
    const auto x_odd = hn::BitCast(Half(), hn::Set(du, (quad >> 8) & 0x00ff00ffU));
    auto none = hn::Zero(d);
    return hn::ReorderWidenMulAccumulate(d, x_odd, odd,
                                         hn::ReorderWidenMulAccumulate(d, x_even, even, hn::Zero(d), none), none);
  }
};
#else
template <class D>
struct Columns {
  hn::VFromD<D> b0, b1, b2, b3;

  HWY_INLINE Columns(D d, hn::VFromD<hn::RebindToUnsigned<D>> quads)
      : b0(hn::ShiftRight<24>(hn::ShiftLeft<24>(hn::BitCast(d, quads)))),
        b1(hn::ShiftRight<24>(hn::ShiftLeft<16>(hn::BitCast(d, quads)))),
        b2(hn::ShiftRight<24>(hn::ShiftLeft<8>(hn::BitCast(d, quads)))),
        b3(hn::ShiftRight<24>(hn::BitCast(d, quads))) {}

  HWY_INLINE hn::VFromD<D> dot(D d, uint32_t quad) const {
    const auto byte = [&](uint32_t shift)
                          HWY_ATTR { return hn::Set(d, static_cast<int32_t>((quad >> shift) & 0xffU)); };
    return hn::Add(hn::Add(hn::Mul(byte(0), b0), hn::Mul(byte(8), b1)),
                   hn::Add(hn::Mul(byte(16), b2), hn::Mul(byte(24), b3)));
  }
};
#endif

// Without VNNI: bytes are widened to 16 bits, whose products and sums of two fit into 32, so nothing saturates. Four
// rows share the widened columns.
void widened(const Int8Product& g) {
  constexpr int64_t most = 4;
  const hn::CappedTag<int32_t, panel_columns> d;  // a panel is a whole number of vectors
  const hn::RebindToUnsigned<decltype(d)> du;
  HWY_ALIGN int32_t line[most][panel_columns];
  for (int64_t column = 0; column < g.n; column += panel_columns) {
    const auto columns = static_cast<size_t>(std::min(panel_columns, g.n - column));
    const uint32_t* const b = g.b + column * g.quads;
    for (int64_t row = 0; row < g.m; row += most) {
      const int64_t rows = std::min(most, g.m - row);
      for (int64_t c = 0; c < panel_columns; c += static_cast<int64_t>(hn::Lanes(d))) {
        auto s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
        const auto quad = [&](int64_t r, int64_t q) {
          uint32_t four = 0;
          std::memcpy(&four, g.a + (row + std::min(r, rows - 1)) * g.lda + 4 * q, 4);
          return four;
        };
        for (int64_t q = 0; q < g.quads; ++q) {
          const Columns<decltype(d)> b_q(d, hn::LoadU(du, b + q * panel_columns + c));
          s0 = hn::Add(s0, b_q.dot(d, quad(0, q)));
          s1 = hn::Add(s1, b_q.dot(d, quad(1, q)));
          s2 = hn::Add(s2, b_q.dot(d, quad(2, q)));
          s3 = hn::Add(s3, b_q.dot(d, quad(3, q)));
        }
        hn::StoreU(s0, d, line[0] + c);
        hn::StoreU(s1, d, line[1] + c);
        hn::StoreU(s2, d, line[2] + c);
        hn::StoreU(s3, d, line[3] + c);
      }
      for (int64_t r = 0; r < rows; ++r) std::copy_n(line[r], columns, g.c + (row + r) * g.ldc + column);
    }
  }
}

void dequantize(int64_t n, const int32_t* HWY_RESTRICT sum, int32_t zero, const int32_t* HWY_RESTRICT weight,
                float scale, const float* HWY_RESTRICT scales, const float* HWY_RESTRICT bias, float* HWY_RESTRICT y) {
  for_lanes<float>(static_cast<size_t>(n), [&](auto d, size_t i) HWY_ATTR {
    const hn::RebindToSigned<decltype(d)> di;
    const auto whole = hn::Sub(hn::LoadU(di, sum + i), hn::Mul(hn::Set(di, zero), hn::LoadU(di, weight + i)));
    const auto factor = hn::Mul(hn::Set(d, scale), hn::LoadU(d, scales + i));
    store(d, hn::Add(hn::Mul(hn::ConvertTo(d, whole), factor), hn::LoadU(d, bias + i)), y + i);
  });
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(widened);
HWY_EXPORT(dequantize);

void gemm_int8(const Int8Product& product) noexcept {
  if (has_avx512_vnni()) return gemm_int8_vnni(product);
  HWY_DYNAMIC_DISPATCH(widened)(product);
}

void pack_rows_int8(int64_t rows, int64_t k, const int8_t* w, int64_t ldw, uint32_t* panel) noexcept {
  if (rows < panel_columns || k % 4 != 0) std::fill_n(panel, quads_of(k) * panel_columns, 0U);
  for (int64_t q = 0; q < quads_of(k); ++q)
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(panel + q * panel_columns + r, w + r * ldw + 4 * q,
                  static_cast<size_t>(std::min<int64_t>(4, k - 4 * q)));
}

void dequantize_sums(int64_t n, const int32_t* sum, int32_t zero_point, const int32_t* weight_sum, float scale,
                     const float* scales, const float* bias, float* y) noexcept {
  HWY_DYNAMIC_DISPATCH(dequantize)(n, sum, zero_point, weight_sum, scale, scales, bias, y);
}
const char* gemm_int8_kernel() {
  if (has_avx512_vnni()) return "AVX-512 VNNI";
  static const std::string name = "16-bit products on " + current_isa();
  return name.c_str();
}

}  // namespace espalier::kernels
#endif
