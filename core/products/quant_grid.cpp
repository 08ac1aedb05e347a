// SPDX-License-Identifier: Apache-2.0
#include "core/products/quant_grid.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/kernels/fake_quant.h"
#include "core/parallel.h"

namespace espalier {
namespace {

void check_bits(int bits) { CHECK(bits >= 2 && bits <= 8, "quantization: ", bits, " bits; 2 to 8 are expected"); }

QuantGrid grid_of(int64_t rows, int32_t low, int32_t high) {
  return {Tensor({rows}), Tensor::zeros({rows}, DType::i32), low, high};
}

// A range so narrow that its step is no normal number is as good as empty.
float step(double width, int32_t steps) {
  const auto s = static_cast<float>(width / steps);
  return std::isnormal(s) ? s : 1.0F;
}

}  // namespace

kernels::GridRow affine_row(float least, float most, int bits) {
  check_bits(bits);
  CHECK(std::isfinite(least) && std::isfinite(most) && least <= most, "quantization: the range ", least, " to ", most,
        "; expected finite numbers in order: is there a NaN or an infinity in the activations?");
  const int32_t high = (1 << bits) - 1;
  least = std::min(least, 0.0F);
  most = std::max(most, 0.0F);
  const float scale = step(static_cast<double>(most) - static_cast<double>(least), high);
  return {scale, std::clamp(static_cast<int32_t>(std::nearbyint(-least / scale)), 0, high), 0, high};
}

QuantGrid affine_grid(float least, float most, int bits) {
  const kernels::GridRow row = affine_row(least, most, bits);
  QuantGrid grid = grid_of(1, row.low, row.high);
  grid.scale.data<float>()[0] = row.scale;
  grid.zero_point.data<int32_t>()[0] = row.zero_point;
  return grid;
}

QuantGrid as_bytes(QuantGrid grid) {
  if (grid.low >= 0) return grid;
  grid.low += 128;
  grid.high += 128;
  grid.zero_point = grid.zero_point.clone();
  for (int32_t& z : grid.zero_point.span<int32_t>()) z += 128;
  return grid;
}

QuantGrid symmetric_grid(float most, int bits) {
  check_bits(bits);
  CHECK(std::isfinite(most) && most >= 0, "quantization: the largest size is ", most, "; expected a finite number");
  const int32_t high = (1 << (bits - 1)) - 1;
  QuantGrid grid = grid_of(1, -high, high);
  grid.scale.data<float>()[0] = step(static_cast<double>(most), high);
  return grid;
}

namespace {

// Sets the grid's scale of row r of w.
void set_row_scale(const Tensor& w, int64_t r, const QuantGrid& grid) {
  float least = 0, most = 0;
  if (w.cols() > 0) kernels::range(w.cols(), w.data<float>() + r * w.cols(), least, most);
  CHECK(std::isfinite(least) && std::isfinite(most), "quantization: row ", r, " of a weight", w.shape(),
        " holds a NaN or an infinity");
  grid.scale.data<float>()[r] = step(static_cast<double>(std::max(most, -least)), grid.high);
}

QuantGrid row_grid_of(const Tensor& w, int bits) {
  check_bits(bits);
  const int32_t high = (1 << (bits - 1)) - 1;
  return grid_of(w.rows(), -high, high);
}

}  // namespace

kernels::GridRow row_of(const QuantGrid& grid, int64_t row) {
  const int64_t at = grid.rows() == 1 ? 0 : row;
  return {grid.scale.data<float>()[at], grid.zero_point.data<int32_t>()[at], grid.low, grid.high};
}

QuantGrid symmetric_row_grid(const Tensor& w, int bits) {
  QuantGrid grid = row_grid_of(w, bits);
  parallel_rows(w.rows(), row_grain(w.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) set_row_scale(w, r, grid);
  });
  return grid;
}

std::pair<Tensor, QuantGrid> quantize_rows(const Tensor& w, int bits) {
  QuantGrid grid = row_grid_of(w, bits);
  const Tensor q(w.shape(), DType::s8);
  parallel_rows(w.rows(), row_grain(w.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      set_row_scale(w, r, grid);
      kernels::quantize(w.cols(), w.data<float>() + r * w.cols(), row_of(grid, r),
                        reinterpret_cast<uint8_t*>(q.raw()) + r * w.cols());
    }
  });
  return {q, grid};
}

Tensor quantize(const Tensor& x, const QuantGrid& grid) {
  CHECK(grid.rows() == 1 || grid.rows() == x.rows(), "quantize: ", grid.rows(), " scales for x", x.shape());
  Tensor q(x.shape(), grid.low < 0 ? DType::s8 : DType::u8);
  parallel_rows(x.rows(), row_grain(x.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const kernels::GridRow row = row_of(grid, r);
      auto* const to = reinterpret_cast<uint8_t*>(q.raw()) + r * x.cols();
      if (x.dtype() == DType::bf16)
        kernels::quantize(x.cols(), x.data<Bf16>() + r * x.cols(), row, to);
      else
        kernels::quantize(x.cols(), x.data<float>() + r * x.cols(), row, to);
    }
  });
  return q;
}

Tensor dequantize(const Tensor& q, const QuantGrid& grid) {
  CHECK(grid.rows() == 1 || grid.rows() == q.rows(), "dequantize: ", grid.rows(), " scales for q", q.shape());
  Tensor x(q.shape());
  const auto convert = [&](auto* from) {
    parallel_rows(q.rows(), row_grain(q.cols()), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r)
        kernels::dequantize(q.cols(), from + r * q.cols(), row_of(grid, r), x.data<float>() + r * q.cols());
    });
  };
  if (q.dtype() == DType::s8)
    convert(q.data<int8_t>());
  else
    convert(q.data<uint8_t>());
  return x;
}

}  // namespace espalier
