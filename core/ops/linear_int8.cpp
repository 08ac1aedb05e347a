// SPDX-License-Identifier: Apache-2.0
// The linear op with int8 weights: y = (sum of qx qw - zx sum of qw) sx sw + b,  x on its grid as bytes qx, w as signed
// bytes qw; the sums are exact integers. The gradient is that of the real numbers that the integers stand for (the
// straight-through estimator).
#include <algorithm>

#include "core/kernels/gemm_int8.h"
#include "core/ops/linear_parts.h"
#include "core/profile.h"

namespace espalier::ops {
namespace {

constexpr int64_t block_columns = 6 * kernels::panel_columns;  // of one task

// x as bytes whose rows can be read in quads. Signed grids are moved up by 128, so that all products are u8 with s8.
struct Bytes {
  Tensor bytes;  // u8[rows, stride]
  QuantGrid grid;
};

Bytes bytes_of(const Tensor& x, const std::optional<QuantGrid>& given) {
  Bytes b{{}, as_bytes(given ? *given : dynamic_grid(x))};
  b.bytes = quantize(x, b.grid);
  const int64_t stride = 4 * kernels::quads_of(x.cols());
  if (stride == x.cols()) return b;
  const Tensor tight = b.bytes;
  b.bytes = Tensor::zeros({x.rows(), stride}, DType::u8);
  for (int64_t r = 0; r < x.rows(); ++r)
    std::copy_n(tight.data<uint8_t>() + r * x.cols(), x.cols(), b.bytes.data<uint8_t>() + r * stride);
  return b;
}

// The integers of all parts; throws for what does not fit.
std::vector<std::shared_ptr<const QuantizedWeight>> check(const Var& x, std::span<const Affine> parts) {
  std::vector<std::shared_ptr<const QuantizedWeight>> weights;
  for (const Affine& part : parts) {
    weights.push_back(as<QuantizedWeight>(part.form));
    CHECK(weights.back() != nullptr, "linear: some of the weights are int8 and some are not");
    const QuantizedWeight& w = *weights.back();
    CHECK(w.products(), "linear: the int8 weight", part.w.shape(), " was not made for products");
    CHECK(w.shares_input(*weights.front()), "linear: int8 weights that share their input have different grids for it");
    CHECK(w.in() == x.value.cols(), "linear: x", x.shape(), " and w", part.w.shape(),
          " differ in their last dimension");
    CHECK(part.b.shape() == Shape{w.out()}, "linear: w", part.w.shape(), " needs a bias of shape ", Shape{w.out()},
          ", not ", part.b.shape());
  }
  return weights;
}

}  // namespace

Var linear_int8(const Var& x, std::span<const Affine> parts) {
  CHECK(x.tape == nullptr, "linear: int8 weights have no gradient; train with fake-quant, then convert");
  CHECK(x.shape().rank() == 2, "linear: x", x.shape(), " is expected to be [T, in]");
  const int64_t rows = x.value.rows();
  const std::vector<std::shared_ptr<const QuantizedWeight>> weights = check(x, parts);
  int64_t width = 0;
  for (const auto& w : weights) width += w->out();
  const Tensor y({rows, width});
  const Bytes bytes = bytes_of(x.value, weights.front()->input());
  const bool by_row = bytes.grid.rows() > 1;
  int64_t first = 0;
  for (size_t part = 0; part < parts.size(); ++part) {
    const QuantizedWeight& w = *weights[part];
    const float* const bias = parts[part].b.value.data<float>();
    work_count().flop += static_cast<int64_t>(2 * w.work_left() * static_cast<double>(rows * w.out() * w.in()));
    parallel_blocks(rows, kernels::gemm_int8_rows(), w.out(), block_columns,
                    [&](int64_t row, int64_t m, int64_t column, int64_t n) {
                      const int64_t grid = by_row ? row : 0;
                      const QuantizedWeight::Rows block = {.rows = m,
                                                           .x = bytes.bytes.data<uint8_t>() + row * bytes.bytes.cols(),
                                                           .stride = bytes.bytes.cols(),
                                                           .scales = bytes.grid.scale.data<float>() + grid,
                                                           .zero_points = bytes.grid.zero_point.data<int32_t>() + grid,
                                                           .by_row = by_row};
                      for (int64_t c = column; c < column + n; c += kernels::panel_columns)
                        w.multiply(c / kernels::panel_columns, block, bias,
                                   {.y = y.data<float>() + row * width + first + c, .ldy = width});
                    });
    first += w.out();
  }
  return {y};
}

Var linear_integers(const Var& x, std::span<const Affine> parts, DType compute) {
  const Tensor y = linear_int8({x.value}, parts).value;
  const auto taped = [](const Var& v) { return v.tape != nullptr; };
  if (!taped(x) && std::ranges::none_of(parts, [&](const Affine& a) { return taped(a.w) || taped(a.b); })) return {y};
  const auto first = as<QuantizedWeight>(parts.front().form);
  const Var on_grid = fake_quant(x, first->input() ? *first->input() : dynamic_grid(x.value));
  return compute == DType::bf16 ? linear_bf16(on_grid, parts, DType::f32, y) : linear_real<float>(on_grid, parts, y);
}

}  // namespace espalier::ops
