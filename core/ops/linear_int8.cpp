// SPDX-License-Identifier: Apache-2.0
// y = (sum of qx qw - zx sum of qw) sx sw + b,  x on its grid as bytes qx, w as signed bytes qw; the sums are exact
// integers. No gradient: with one, linear runs this forward.
#include <algorithm>

#include "core/kernels/gemm_int8.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/profile.h"

namespace espalier::ops {
namespace {

constexpr int64_t most_rows = 32, block_columns = 6 * kernels::panel_columns;  // sums of a block: up to 24 kB

// x as bytes whose rows can be read in quads. Signed grids are moved up by 128, so that all products are u8 with s8.
struct Bytes {
  Tensor bytes;  // u8[rows, stride]
  QuantGrid grid;
};

Bytes bytes_of(const Tensor& x, const std::optional<QuantGrid>& given) {
  Bytes b{{}, given ? *given : dynamic_grid(x)};
  if (b.grid.low < 0) {
    b.grid.low += 128;
    b.grid.high += 128;
    b.grid.zero_point = b.grid.zero_point.clone();
    for (int32_t& z : b.grid.zero_point.span<int32_t>()) z += 128;
  }
  b.bytes = quantize(x, b.grid);
  const int64_t stride = 4 * kernels::quads_of(x.cols());
  if (stride == x.cols()) return b;
  const Tensor tight = b.bytes;
  b.bytes = Tensor::zeros({x.rows(), stride}, DType::u8);
  for (int64_t r = 0; r < x.rows(); ++r)
    std::copy_n(tight.data<uint8_t>() + r * x.cols(), x.cols(), b.bytes.data<uint8_t>() + r * stride);
  return b;
}

bool same(const std::optional<QuantGrid>& a, const std::optional<QuantGrid>& b) {
  return a.has_value() == b.has_value() &&
         (!a || (a->low == b->low && a->high == b->high && *a->scale.data<float>() == *b->scale.data<float>() &&
                 *a->zero_point.data<int32_t>() == *b->zero_point.data<int32_t>()));
}

void block(const Bytes& x, const QuantizedWeight& w, const float* bias, int64_t row, int64_t rows, int64_t column,
           int64_t columns, float* y, int64_t ldy) {
  alignas(64) int32_t sums[most_rows * block_columns];
  const int64_t quads = kernels::quads_of(w.in());
  kernels::gemm_int8({.m = rows,
                      .n = columns,
                      .quads = quads,
                      .a = x.bytes.data<uint8_t>() + row * x.bytes.cols(),
                      .lda = x.bytes.cols(),
                      .b = w.packed() + column * quads,
                      .c = sums,
                      .ldc = block_columns});
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t at = x.grid.rows() == 1 ? 0 : row + r;
    kernels::dequantize_sums(columns, sums + r * block_columns, x.grid.zero_point.data<int32_t>()[at],
                             w.sums() + column, x.grid.scale.data<float>()[at], w.grid().scale.data<float>() + column,
                             bias + column, y + (row + r) * ldy + column);
  }
}

}  // namespace

Var linear_int8(const Var& x, std::span<const Affine> parts) {
  CHECK(x.tape == nullptr, "linear: int8 weights have no gradient; train with fake-quant, then convert");
  CHECK(x.shape().rank() == 2, "linear: x", x.shape(), " is expected to be [T, in]");
  const int64_t rows = x.value.rows();
  int64_t width = 0;
  for (const Affine& part : parts) {
    CHECK(part.quantized != nullptr, "linear: some of the weights are int8 and some are not");
    CHECK(part.quantized->products(), "linear: the int8 weight", part.w.shape(), " was not made for products");
    CHECK(same(part.quantized->input(), parts.front().quantized->input()),
          "linear: int8 weights that share their input have different grids for it");
    CHECK(part.quantized->in() == x.value.cols(), "linear: x", x.shape(), " and w", part.w.shape(),
          " differ in their last dimension");
    CHECK(part.b.shape() == Shape{part.quantized->out()}, "linear: w", part.w.shape(), " needs a bias of shape ",
          Shape{part.quantized->out()}, ", not ", part.b.shape());
    width += part.quantized->out();
  }
  const Tensor y({rows, width});
  const Bytes bytes = bytes_of(x.value, parts.front().quantized->input());
  const int64_t block_rows = kernels::gemm_int8_rows(), down = (rows + block_rows - 1) / block_rows;
  int64_t first = 0;
  for (const Affine& part : parts) {
    const QuantizedWeight& w = *part.quantized;
    work_count().flop += 2 * rows * w.out() * w.in();
    const int64_t across = (w.out() + block_columns - 1) / block_columns;
    parallel_for(down * across, [&](int64_t i) {
      const int64_t row = i % down * block_rows, column = i / down * block_columns;
      const int64_t m = std::min(block_rows, rows - row), n = std::min(block_columns, w.out() - column);
      block(bytes, w, part.b.value.data<float>(), row, m, column, n, y.data<float>() + first, width);
    });
    first += w.out();
  }
  return {y};
}

}  // namespace espalier::ops
