// SPDX-License-Identifier: Apache-2.0
#include "core/kernels/int8_output.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "core/kernels/int8_output.cpp"
#include "hwy/foreach_target.h"  // first: it includes this file once per instruction set

#include "core/kernels/gelu-inl.h"
#include "core/kernels/quantize-inl.h"
#include "core/kernels/vec-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::kernels::HWY_NAMESPACE {

// The integers of GELU(y), the same as with the exact GELU: a quick one decides unless it lies so near the middle
// between two integers that its error could matter.
struct RoundedGelu {
  explicit RoundedGelu(const GridRow& g)
      : grid(g),
        clear(0.5F - quick_gelu_error / g.scale - 260 * quick_gelu_relative) {}  // beyond 255 steps it is clamped

  template <class D>
  HWY_INLINE void store(D d, hn::VFromD<D> y, uint8_t* q) const {
    const auto quotient = hn::Mul(quick_gelu_of(d, y), hn::Set(d, 1.0F / grid.scale));
    const auto on_grid = hn::Min(hn::Max(quotient, lowest(d, grid)), highest(d, grid)),
               sum = hn::Add(on_grid, hn::Set(d, rounding)), whole = hn::Sub(sum, hn::Set(d, rounding));
    if (HWY_LIKELY(hn::AllTrue(d, hn::Le(hn::Abs(hn::Sub(on_grid, whole)), hn::Set(d, clear)))))
      store_rounded(d, sum, grid, q);
    else
      store_integers(d, gelu_of(d, y), grid, q);
  }

  GridRow grid;
  float clear;  // a quotient at most this far from an integer is rounded to it
};

// All rows of one vector of columns: what belongs to the columns stays in registers.
template <bool gelu, bool bytes, class D>
HWY_INLINE void columns_of(D d, size_t c, const Int8Output& o) {
  const hn::RebindToSigned<D> di;
  const auto weight = hn::LoadU(di, o.weight_sums + c);
  const auto scales = hn::LoadU(d, o.scales + c), bias = hn::LoadU(d, o.bias + c);
  auto shift = hn::Mul(hn::Set(di, o.zero_points[0]), weight);
  auto factor = hn::Mul(hn::Set(d, o.x_scales[0]), scales);
  const RoundedGelu rounded(o.grid);
  for (int64_t r = 0; r < o.rows; ++r) {
    if (o.by_row) {
      shift = hn::Mul(hn::Set(di, o.zero_points[r]), weight);
      factor = hn::Mul(hn::Set(d, o.x_scales[r]), scales);
    }
    const auto whole = hn::Sub(hn::LoadU(di, o.sums + r * o.ld_sums + static_cast<int64_t>(c)), shift);
    auto y = hn::Add(hn::Mul(hn::ConvertTo(d, whole), factor), bias);
    if constexpr (gelu && !bytes) y = gelu_of(d, y);
    if constexpr (gelu && bytes)
      rounded.store(d, y, o.bytes + r * o.ldy + static_cast<int64_t>(c));
    else if constexpr (bytes)
      store_integers(d, y, o.grid, o.bytes + r * o.ldy + static_cast<int64_t>(c));
    else
      hn::StoreU(y, d, o.y + r * o.ldy + static_cast<int64_t>(c));
  }
}

template <bool gelu, bool bytes>
HWY_INLINE void all_columns(const Int8Output& o) {
  for_lanes<float>(static_cast<size_t>(o.columns),
                   [&](auto d, size_t c) HWY_ATTR { columns_of<gelu, bytes>(d, c, o); });
}

void write(const Int8Output& o) {
  if (o.gelu)
    o.bytes != nullptr ? all_columns<true, true>(o) : all_columns<true, false>(o);
  else
    o.bytes != nullptr ? all_columns<false, true>(o) : all_columns<false, false>(o);
}

}  // namespace espalier::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier::kernels {
HWY_EXPORT(write);

void write_int8_output(const Int8Output& output) noexcept { HWY_DYNAMIC_DISPATCH(write)(output); }

}  // namespace espalier::kernels
#endif
