// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/int8_output.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/int8_output.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/activation-inl.h"
#include "core/kernels/quantize-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// The integers of GELU(y) of several rows, the same as with the exact GELU: a quick one decides unless it lies so near
// the middle between two integers that its error could matter. The rows' steps alternate, since each waits for its
// last. clear: see clear_of.
template <int Rows, class D, class V>
HWY_INLINE void store_gelu(const Grid<D>& grid, const V (&y)[Rows], V clear, uint8_t* q, int64_t ldq) {
  const D d;
  V sum[Rows];
  quick_gelu_of(d, y, sum);
  auto worst = hn::Zero(d);
  for (int r = 0; r < Rows; ++r) {
    const auto on_grid = grid.clamped(sum[r]);
    sum[r] = grid.rounded(on_grid);
    worst = hn::Max(hn::Abs(hn::Sub(on_grid, hn::Sub(sum[r], hn::Set(d, grid.magic)))), worst);
  }
  if (HWY_LIKELY(hn::AllTrue(d, hn::Le(worst, clear))))
    for (int r = 0; r < Rows; ++r) grid.store_rounded(sum[r], q + r * ldq);
  else
    for (int r = 0; r < Rows; ++r) grid.store(gelu_of(d, y[r]), q + r * ldq);
}

// How far from an integer a quotient may be. Beyond 255 steps it is clamped.
float clear_of(const GridRow& grid) { return 0.5F - quick_gelu_error / grid.scale - 260 * quick_gelu_relative; }

// All rows of one vector of columns: what belongs to the columns stays in registers.
template <class Then, bool bytes, class D>
HWY_INLINE void columns_of(D d, size_t c, const Int8Output& o) {
  const hn::RebindToSigned<D> di;
  const auto weight = hn::LoadU(di, o.weight_sums + c);
  const auto scales = hn::LoadU(d, o.scales + c), bias = hn::LoadU(d, o.bias + c);
  auto shift = hn::Mul(hn::Set(di, o.zero_points[0]), weight);
  auto factor = hn::Mul(hn::Set(d, o.x_scales[0]), scales);
  const Grid<D> grid(o.grid);
  const auto clear = hn::Set(d, clear_of(o.grid));
  // Nothing of `o` is read in the loop: what it writes might be a part of it, for all that the compiler knows.
  const int32_t* const sum = o.sums + c;
  const int32_t* const zero_points = o.zero_points;
  const float* const x_scales = o.x_scales;
  float* const y_to = bytes ? nullptr : o.y + c;
  uint8_t* const to = bytes ? o.bytes + c : nullptr;
  const int64_t rows = o.rows, ld_sums = o.ld_sums, ldy = o.ldy;
  const bool by_row = o.by_row;
  const auto number = [&](int64_t r) HWY_ATTR {
    if (by_row) {
      shift = hn::Mul(hn::Set(di, zero_points[r]), weight);
      factor = hn::Mul(hn::Set(d, x_scales[r]), scales);
    }
    return hn::Add(hn::Mul(hn::ConvertTo(d, hn::Sub(hn::LoadU(di, sum + r * ld_sums), shift)), factor), bias);
  };
  constexpr bool quick = bytes && std::is_same_v<Then, GeluOf>;
  int64_t r = 0;
  if constexpr (quick) {
    constexpr int at_once = 6;
    for (; r + at_once <= rows; r += at_once) {
      hn::VFromD<D> y[at_once];
      for (int k = 0; k < at_once; ++k) y[k] = number(r + k);
      store_gelu(grid, y, clear, to + r * ldy, ldy);
    }
  }
  for (; r < rows; ++r) {
    const hn::VFromD<D> y[1] = {number(r)};
    if constexpr (quick)
      store_gelu(grid, y, clear, to + r * ldy, ldy);
    else if constexpr (bytes)
      grid.store(Then::value(d, y[0]), to + r * ldy);
    else
      hn::StoreU(Then::value(d, y[0]), d, y_to + r * ldy);
  }
}

template <class Then, bool bytes>
HWY_INLINE void all_columns(const Int8Output& o) {
  for_lanes<float>(static_cast<size_t>(o.columns),
                   [&](auto d, size_t c) HWY_ATTR { columns_of<Then, bytes>(d, c, o); });
}

void write(const Int8Output& o) {
  with_activation(o.then, [&]<class Then>(Then) HWY_ATTR {
    o.bytes != nullptr ? all_columns<Then, true>(o) : all_columns<Then, false>(o);
  });
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(write);

void write_int8_output(const Int8Output& output) noexcept { HWY_DYNAMIC_DISPATCH(write)(output); }

}  // namespace espalier::kernels
#endif
