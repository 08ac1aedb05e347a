// SPDX-License-Identifier: Apache-2.0
#include "data/models/onnx_linear.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

namespace espalier {
namespace {

using Attributes = std::vector<OnnxGraph::Attribute>;

const Attributes over_row = {{"axes", std::vector<int64_t>{-1}}, {"keepdims", int64_t{1}}};

// [n, m] -> [m, n], as MatMul wants weights.
template <class T>
Tensor transposed(const Tensor& w) {
  const int64_t rows = w.rows(), cols = w.cols();
  Tensor t({cols, rows}, w.dtype());
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < cols; ++c) t.data<T>()[c * rows + r] = w.data<T>()[r * cols + c];
  return t;
}

Tensor scaled(const Tensor& values, float factor) {
  Tensor result = values.clone();
  for (float& v : result.span<float>()) v *= factor;
  return result;
}

// Whether numbers times the factor lose no bit: it is a power of two.
bool is_exact(float factor) {
  int exponent = 0;
  return std::frexp(factor, &exponent) == 0.5F;
}

// Of each row of the integers, their sum times the scale.
Tensor row_sums(const QuantizedWeight& w, float factor) {
  const Tensor q = w.q(), sums({w.out()});
  for (int64_t r = 0; r < w.out(); ++r) {
    int64_t sum = 0;
    for (int64_t c = 0; c < w.in(); ++c) sum += q.data<int8_t>()[r * w.in() + c];
    sums.data<float>()[r] = static_cast<float>(sum) * w.grid().scale.data<float>()[r] * factor;
  }
  return sums;
}

}  // namespace

OnnxGraph::Value OnnxLinear::operator()(const Value& x, const Linear& linear, float factor) {
  const float inside = is_exact(factor) ? factor : 1;
  const Parameter &weight = linear.weight, &bias = linear.bias;
  const auto integers = weight.integers();
  Value y;
  if (integers == nullptr) {
    y = graph_.op("MatMul", {x, graph_.constant(weight.name, {weight.shape[1], weight.shape[0]}, DType::f32, [&weight, inside] {
                               return scaled(transposed<float>(weight.value), inside);
                             })});
  } else if (integers->input()) {
    y = graph_.op("MatMul", {on_grid(x, *integers->input()), integer_weight(linear, inside)});
  } else {
    y = dynamic(x, linear, inside);
  }
  y = graph_.op("Add", {y, graph_.constant(bias.name, scaled(bias.value, inside))});
  return inside == factor ? y : graph_.op("Mul", {y, graph_.scalar(factor)});
}

// The weight [in, out] of integers, in real numbers.
OnnxGraph::Value OnnxLinear::integer_weight(const Linear& linear, float factor) {
  const auto integers = linear.weight.integers();
  const Value q = graph_.constant(linear.weight.name, {integers->in(), integers->out()}, DType::s8,
                                  [integers] { return transposed<int8_t>(integers->q()); });
  const Value scales = graph_.constant(linear.weight.name + ".scale", scaled(integers->grid().scale, factor));
  const Value zeros = graph_.constant(linear.weight.name + ".zero", Tensor::zeros({integers->out()}, DType::s8));
  return graph_.op("DequantizeLinear", {q, scales, zeros}, {{"axis", int64_t{1}}});
}

OnnxGraph::Value OnnxLinear::on_grid(const Value& x, const QuantGrid& given) {
  const QuantGrid grid = as_bytes(given);
  const float step = grid.scale.data<float>()[0];
  const int32_t zero_point = grid.zero_point.data<int32_t>()[0];
  const Value scale = graph_.scalar(step), zero = graph_.scalar(DType::u8, zero_point);
  Value& made = static_[x + " " + scale + " " + zero + " " + std::to_string(grid.low) + " " + std::to_string(grid.high)];
  if (!made.empty()) return made;
  Value inside = x;  // a byte has room for more than the grid
  if (grid.low > 0 || grid.high < 255)
    inside = graph_.op("Clip", {x, graph_.scalar(static_cast<float>(grid.low - zero_point) * step),
                                graph_.scalar(static_cast<float>(grid.high - zero_point) * step)});
  const Value bytes = graph_.op("QuantizeLinear", {inside, scale, zero});
  return made = graph_.op("DequantizeLinear", {bytes, scale, zero});
}

const OnnxLinear::Rows& OnnxLinear::rows(const Value& x) {
  const auto [place, is_new] = dynamic_.try_emplace(x);
  Rows& made = place->second;
  if (!is_new) return made;
  const Value zero = graph_.scalar(0.0F), one = graph_.scalar(1.0F), zero_byte = graph_.scalar(DType::u8, 0);
  const Value least = graph_.op("Min", {graph_.op("ReduceMin", {x}, over_row), zero});
  const Value most = graph_.op("Max", {graph_.op("ReduceMax", {x}, over_row), zero});
  const Value step = graph_.op("Div", {graph_.op("Sub", {most, least}), graph_.scalar(255.0F)});
  made.scale = graph_.op("Max", {step, graph_.scalar(std::numeric_limits<float>::min())});
  made.minus_zero = graph_.op("Round", {graph_.op("Div", {least, made.scale})});
  const Value steps = graph_.op("Mul", {x, graph_.op("Reciprocal", {made.scale})});
  const Value bytes = graph_.op("QuantizeLinear", {graph_.op("Sub", {steps, made.minus_zero}), one, zero_byte});
  made.on_grid = graph_.op("DequantizeLinear", {bytes, one, zero_byte});
  return made;
}

OnnxGraph::Value OnnxLinear::dynamic(const Value& x, const Linear& linear, float factor) {
  const Rows& in = rows(x);
  const auto integers = linear.weight.integers();
  const Value sums = graph_.constant(linear.weight.name + ".sums", row_sums(*integers, factor));
  const Value product = graph_.op("MatMul", {in.on_grid, integer_weight(linear, factor)});
  const Value moved = graph_.op("Add", {product, graph_.op("Mul", {in.minus_zero, sums})});
  return graph_.op("Mul", {moved, in.scale});
}

}  // namespace espalier
