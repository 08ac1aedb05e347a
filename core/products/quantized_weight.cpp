// SPDX-License-Identifier: Apache-2.0
#include "core/products/quantized_weight.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "core/check.h"
#include "core/kernels/fake_quant.h"
#include "core/kernels/gemm_int8.h"
#include "core/parallel.h"
#include "core/products/narrow_order.h"

namespace espalier {

using kernels::panel_columns;

QuantizedWeight::QuantizedWeight(Tensor q, QuantGrid grid, int bits, std::optional<QuantGrid> input, bool products)
    : q_(std::move(q)), in_(q_.cols()), grid_(std::move(grid)), bits_(bits), input_(std::move(input)) {
  CHECK(q_.dtype() == DType::s8 && q_.shape().rank() == 2 && grid_.rows() == q_.rows() && bits_ >= 2 && bits_ <= 8,
        "quantized weight: ", name_of(q_.dtype()), q_.shape(), " with ", grid_.rows(), " scales and ", bits_,
        " bits; expected s8[out, in], a scale for each row and 2 to 8 bits");
  CHECK(in() <= 65536, "quantized weight: ", q_.shape(), " has rows so long that 32-bit sums might overflow");
  CHECK(!input_ || input_->rows() == 1, "quantized weight: ", input_->rows(), " scales for its input; one is expected");
  if (!products) return;
  const int64_t quads = kernels::quads_of(in()), panels = kernels::panels_of(out());
  group_ = kernels::gemm_int8_group();
  packed_ = Tensor({panels, quads * panel_columns}, DType::i32);
  index_ = Tensor({panels, quads}, DType::i32);
  sums_ = Tensor({out()}, DType::i32);
  contents_.resize(static_cast<size_t>(panels));
  parallel_for(panels, [&](int64_t i) { pack_panel(i); });
}

void QuantizedWeight::pack_panel(int64_t i) {
  const int64_t first = i * panel_columns, rows = std::min(panel_columns, out() - first),
                quads = kernels::quads_of(in());
  auto* const values = packed_.data<int32_t>() + i * quads * panel_columns;
  kernels::pack_rows_int8(rows, in(), q_.data<int8_t>() + first * in(), in(), reinterpret_cast<uint32_t*>(values));
  int32_t* const index = index_.data<int32_t>() + i * quads;
  int64_t left = 0;
  for (int64_t quad = 0; quad < quads; quad += group_) {
    const int64_t count = std::min(group_, quads - quad);
    const int32_t* const from = values + quad * panel_columns;
    if (std::all_of(from, from + count * panel_columns, [](int32_t four) { return four == 0; })) continue;
    if (left != quad) std::copy_n(from, count * panel_columns, values + left * panel_columns);
    for (int64_t k = 0; k < count; ++k) index[left++] = static_cast<int32_t>(quad + k);
  }
  Contents& contents = contents_[static_cast<size_t>(i)];
  contents.left = left;
  if (kernels::gemm_int8_narrows())
    contents.narrow = order_for_narrow_sums(left, reinterpret_cast<uint32_t*>(values), index);
  contents.in_place = left == quads && std::is_sorted(index, index + left);
  for (int64_t r = 0; r < rows; ++r) {
    const int8_t* const row = q_.data<int8_t>() + (first + r) * in();
    sums_.data<int32_t>()[first + r] = std::accumulate(row, row + in(), 0);
  }
}

std::optional<kernels::GridRow> QuantizedWeight::input_row() const {
  if (!input_) return std::nullopt;
  return row_of(as_bytes(*input_), 0);
}

bool QuantizedWeight::shares_input(const QuantizedWeight& other) const {
  if (!input_ || !other.input_) return !input_ && !other.input_;
  return row_of(*input_, 0) == row_of(*other.input_, 0);
}

QuantizedWeight::Panel QuantizedWeight::panel(int64_t i) const {
  const int64_t quads = kernels::quads_of(in());
  const Contents& contents = contents_[static_cast<size_t>(i)];
  return {.quads = contents.left,
          .index = contents.in_place ? nullptr : index_.data<int32_t>() + i * quads,
          .values = reinterpret_cast<const uint32_t*>(packed_.data<int32_t>()) + i * quads * panel_columns,
          .narrow = contents.narrow};
}

void QuantizedWeight::multiply(int64_t i, const Rows& x, const float* bias, kernels::Int8Output to) const noexcept {
  constexpr int64_t most_rows = 32;
  alignas(64) int32_t sums[most_rows * panel_columns];
  const int64_t first = i * panel_columns, step = std::min(most_rows, kernels::gemm_int8_rows());
  const Panel p = panel(i);
  to.columns = std::min(panel_columns, out() - first);
  to.sums = sums;
  to.ld_sums = panel_columns;
  to.by_row = x.by_row;
  to.weight_sums = sums_.data<int32_t>() + first;
  to.scales = grid_.scale.data<float>() + first;
  to.bias = bias + first;
  for (int64_t row = 0; row < x.rows; row += step) {
    to.rows = std::min(step, x.rows - row);
    kernels::gemm_int8({.m = to.rows,
                        .n = to.columns,
                        .quads = p.quads,
                        .a = x.x + row * x.stride,
                        .lda = x.stride,
                        .index = p.index,
                        .group = group_,
                        .b = p.values,
                        .narrow = p.narrow,
                        .c = sums,
                        .ldc = panel_columns});
    to.zero_points = x.zero_points + (x.by_row ? row : 0);
    to.x_scales = x.scales + (x.by_row ? row : 0);
    kernels::write_int8_output(to);
    if (to.bytes != nullptr)
      to.bytes += step * to.ldy;
    else
      to.y += step * to.ldy;
  }
}

void QuantizedWeight::row(int64_t i, float* to) const noexcept {
  kernels::dequantize(in_, q_.data<int8_t>() + i * in_, row_of(grid_, i), to);
}

void QuantizedWeight::drop_matrix() {
  if (products()) q_ = {};
}

Tensor QuantizedWeight::unpacked() const {
  Tensor q = Tensor::zeros({out(), in_}, DType::s8);
  parallel_for(kernels::panels_of(out()), [&](int64_t i) {
    const Panel p = panel(i);
    const int64_t rows = std::min(panel_columns, out() - i * panel_columns);
    for (int64_t k = 0; k < p.quads; ++k) {
      const int64_t column = 4 * (p.index != nullptr ? p.index[k] : k), bytes = std::min<int64_t>(4, in_ - column);
      for (int64_t r = 0; r < rows; ++r)
        std::memcpy(q.data<int8_t>() + (i * panel_columns + r) * in_ + column, p.values + k * panel_columns + r,
                    static_cast<size_t>(bytes));
    }
  });
  return q;
}

double QuantizedWeight::work_left() const {
  double left = 0;
  for (const Contents& contents : contents_) left += static_cast<double>(contents.left);
  return left / static_cast<double>(std::max<int64_t>(1, index_.size()));
}

namespace {

template <class X>
kernels::GridRow row_grid(int64_t n, const X* x) {
  float least = 0, most = 0;
  kernels::range(n, x, least, most);
  return affine_row(least, most, 8);
}

}  // namespace

kernels::GridRow dynamic_row(int64_t n, const float* x) { return row_grid(n, x); }
kernels::GridRow dynamic_row(int64_t n, const Bf16* x) { return row_grid(n, x); }

QuantGrid dynamic_grid(const Tensor& x) {
  QuantGrid grid{Tensor({x.rows()}), Tensor({x.rows()}, DType::i32), 0, 255};
  parallel_rows(x.rows(), row_grain(x.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const kernels::GridRow row = x.dtype() == DType::bf16 ? dynamic_row(x.cols(), x.data<Bf16>() + r * x.cols())
                                                            : dynamic_row(x.cols(), x.data<float>() + r * x.cols());
      grid.scale.data<float>()[r] = row.scale;
      grid.zero_point.data<int32_t>()[r] = row.zero_point;
    }
  });
  return grid;
}

}  // namespace espalier
