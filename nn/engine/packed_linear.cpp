// SPDX-License-Identifier: Apache-2.0
#include "nn/engine/packed_linear.h"

#include <algorithm>

#include "core/kernels/activation.h"
#include "core/kernels/elementwise.h"
#include "core/kernels/gemm_int8.h"
#include "core/parallel.h"

namespace espalier {

using kernels::panel_columns;

PackedLinear::PackedLinear(const std::vector<LinearWeights>& layers, DType compute)
    : in_(layers.front().in), reads_(compute), writes_(compute) {
  if (const auto integers = as<QuantizedWeight>(layers.front().form)) {
    reads_ = DType::u8;
    writes_ = DType::f32;
    grid_ = integers->input_row();
  }
  int64_t most_panels = 0;
  std::vector<int64_t> firsts;
  for (const LinearWeights& l : layers) {
    weights_.push_back(l.form);
    biases_.push_back(l.bias);
    firsts.push_back(out_);
    out_ += l.out;
    most_panels = std::max(most_panels, kernels::panels_of(l.out));
  }
  // Query, key and value of a head are neighbours: the thread that computes them is the one that reads them.
  for (int64_t i = 0; i < most_panels; ++i)
    for (size_t l = 0; l < layers.size(); ++l)
      if (i * panel_columns < layers[l].out) panels_.push_back({l, i, firsts[l] + i * panel_columns});
}

Rows PackedLinear::input(int64_t rows, Workspace& space, Workspace::Buffer buffer) const {
  Rows to = space.rows(buffer, rows, in_, reads_);
  to.by_row = reads_ == DType::u8 && !grid_;
  if (!grid_) return to;
  to.scales[0] = grid_->scale;
  to.zero_points[0] = grid_->zero_point;
  to.low = grid_->low;
  to.high = grid_->high;
  return to;
}

void PackedLinear::convert(const Rows& x, int64_t begin, int64_t end, const Rows& to) const {
  const auto each = [&](auto* from) {
    for (int64_t r = begin; r < end; ++r, from += x.stride) {
      if (reads_ == DType::u8) {
        const kernels::GridRow grid = grid_ ? *grid_ : dynamic_row(in_, from);
        if (!grid_) to.scales[r] = grid.scale, to.zero_points[r] = grid.zero_point;
        kernels::quantize(in_, from, grid, to.at<uint8_t>(r));
      } else if constexpr (std::is_same_v<decltype(from), float*>) {
        if (reads_ == DType::bf16)
          kernels::convert(in_, from, to.at<Bf16>(r));
        else
          std::copy_n(from, in_, to.at<float>(r));
      } else {
        std::copy_n(from, in_, to.at<Bf16>(r));
      }
      if (reads_ == DType::bf16 && in_ % 2 != 0) *to.at<Bf16>(r, in_) = Bf16(0.0F);  // products read pairs
    }
  };
  if (x.type == DType::bf16)
    each(x.at<Bf16>(begin));
  else
    each(x.at<float>(begin));
}

Rows PackedLinear::converted(const Rows& x, Workspace& space, Workspace::Buffer buffer) const {
  if (x.type == reads_ && (reads_ != DType::bf16 || in_ % 2 == 0)) return x;
  const Rows to = input(x.rows, space, buffer);
  parallel_rows(x.rows, row_grain(in_), [&](int64_t begin, int64_t end) { convert(x, begin, end, to); });
  return to;
}

void PackedLinear::multiply(const Rows& x, const Rows& y, Activation then) const {
  constexpr int64_t worth_a_task = 1 << 20;  // products
  const int64_t step = std::max<int64_t>(1, worth_a_task / std::max<int64_t>(1, x.rows * in_ * panel_columns));
  parallel_rows(std::ssize(panels_), step, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) multiply(panels_[static_cast<size_t>(p)], x, y, then);
  });
}

void PackedLinear::multiply(const Panel& p, const Rows& x, const Rows& y, Activation then) const {
  const float* const bias = biases_[p.layer].data<float>();
  if (const auto* const weight = std::get_if<std::shared_ptr<const QuantizedWeight>>(&weights_[p.layer])) {
    kernels::Int8Output to = {.then = then, .ldy = y.stride};
    if (y.type == DType::u8) {
      to.bytes = y.at<uint8_t>(0, p.column);
      to.grid = {y.scales[0], y.zero_points[0], y.low, y.high};
    } else {
      to.y = y.at<float>(0, p.column);
    }
    return (*weight)->multiply(p.index,
                               {.rows = x.rows,
                                .x = x.at<uint8_t>(0),
                                .stride = x.stride,
                                .scales = x.scales,
                                .zero_points = x.zero_points,
                                .by_row = x.by_row},
                               bias, to);
  }
  const InferenceWeight& weight = *std::get<std::shared_ptr<const InferenceWeight>>(weights_[p.layer]);
  InferenceWeight::Rows r = {.rows = x.rows, .x = x.data, .stride = x.stride, .ldy = y.stride};
  const int64_t columns = std::min(panel_columns, weight.out() - p.index * panel_columns);
  if (y.type == DType::bf16)
    r.y16 = y.at<Bf16>(0, p.column);
  else
    r.y = y.at<float>(0, p.column);
  weight.multiply(p.index, bias, r);
  if (then == Activation::none) return;
  if (r.y16 != nullptr)
    kernels::activation_rows(then, x.rows, columns, r.y16, y.stride);
  else
    kernels::activation_rows(then, x.rows, columns, r.y, y.stride);
}

}  // namespace espalier
