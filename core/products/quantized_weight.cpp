// SPDX-License-Identifier: Apache-2.0
#include "core/products/quantized_weight.h"

#include <algorithm>
#include <vector>

#include "core/check.h"
#include "core/kernels/fake_quant.h"
#include "core/kernels/gemm_int8.h"
#include "core/parallel.h"

namespace espalier {

using kernels::panel_columns;

QuantizedWeight::QuantizedWeight(Tensor q, QuantGrid grid, int bits, std::optional<QuantGrid> input, bool products)
    : q_(std::move(q)), grid_(std::move(grid)), bits_(bits), input_(std::move(input)) {
  CHECK(q_.dtype() == DType::s8 && q_.shape().rank() == 2 && grid_.rows() == out() && bits_ >= 2 && bits_ <= 8,
        "quantized weight: ", name_of(q_.dtype()), q_.shape(), " with ", grid_.rows(), " scales and ", bits_,
        " bits; expected s8[out, in], a scale for each row and 2 to 8 bits");
  CHECK(in() <= 65536, "quantized weight: ", q_.shape(), " has rows so long that 32-bit sums might overflow");
  CHECK(!input_ || input_->rows() == 1, "quantized weight: ", input_->rows(), " scales for its input; one is expected");
  if (!products) return;
  const int64_t quads = kernels::quads_of(in());
  packed_ = Tensor({kernels::panels_of(out()) * quads * panel_columns}, DType::i32);
  sums_ = Tensor({out()}, DType::i32);
  auto* const panels = reinterpret_cast<uint32_t*>(packed_.raw());
  const std::vector<uint8_t> ones(static_cast<size_t>(4 * quads), 1);
  parallel_rows(out(), panel_columns, [&](int64_t begin, int64_t end) {
    kernels::pack_rows_int8(end - begin, in(), q_.data<int8_t>() + begin * in(), in(), panels + begin * quads);
    kernels::gemm_int8({.m = 1,
                        .n = end - begin,
                        .quads = quads,
                        .a = ones.data(),
                        .lda = 0,
                        .b = panels + begin * quads,
                        .c = sums_.data<int32_t>() + begin,
                        .ldc = panel_columns});
  });
}

QuantGrid dynamic_grid(const Tensor& x) {
  QuantGrid grid{Tensor({x.rows()}), Tensor({x.rows()}, DType::i32), 0, 255};
  parallel_rows(x.rows(), row_grain(x.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      float least = 0, most = 0;
      if (x.dtype() == DType::bf16)
        kernels::range(x.cols(), x.data<Bf16>() + r * x.cols(), least, most);
      else
        kernels::range(x.cols(), x.data<float>() + r * x.cols(), least, most);
      const QuantGrid row = affine_grid(least, most, 8);
      grid.scale.data<float>()[r] = row.scale.data<float>()[0];
      grid.zero_point.data<int32_t>()[r] = row.zero_point.data<int32_t>()[0];
    }
  });
  return grid;
}

}  // namespace espalier
