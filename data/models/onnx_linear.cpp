// SPDX-License-Identifier: Apache-2.0
// Int8 products are written as QuantizeLinear, DequantizeLinear and MatMul, which runtimes make products of integers
// of. What follows a product is in f32.
#include "data/models/onnx_linear.h"

#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"

namespace espalier {
namespace {

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
  if (factor == 1) return values;
  Tensor result = values.clone();
  for (float& v : result.span<float>()) v *= factor;
  return result;
}

bool is_power_of_two(float factor) {
  int exponent = 0;
  return std::frexp(factor, &exponent) == 0.5F;
}

// The sum of each row of the weight.
Tensor row_sums(const QuantizedWeight& w) {
  const Tensor q = w.q();
  Tensor sums({w.out()});
  for (int64_t r = 0; r < w.out(); ++r) {
    int64_t sum = 0;
    for (int64_t c = 0; c < w.in(); ++c) sum += q.data<int8_t>()[r * w.in() + c];
    sums.data<float>()[r] = static_cast<float>(sum) * w.grid().scale.data<float>()[r];
  }
  return sums;
}

}  // namespace

OnnxGraph::Value OnnxLinear::operator()(const Value& x, const Linear& linear, How how) {
  const float inside = is_power_of_two(how.factor) ? how.factor : 1;
  const auto integers = linear.weight.integers();
  CHECK(linear.input_transforms.empty() && (integers != nullptr || linear.weight.keeps_value()), linear.weight.name,
        " or its input is transformed, as in training, which ONNX cannot hold; export the checkpoint that training "
        "saves");
  Value y;
  if (integers == nullptr)
    y = graph_.op("MatMul", {x, real_weight(linear, inside)});
  else if (const auto& grid = integers->input())
    y = graph_.op("MatMul", {on_grid(x, *grid), integer_weight(linear, inside)});
  else
    y = dynamic(rows(x, how.hardly_negative ? 0 : 128), linear, inside);
  y = graph_.op("Add", {y, graph_.constant(linear.bias.name, scaled(linear.bias.value, inside))});
  return inside == how.factor ? y : graph_.op("Mul", {y, graph_.scalar(how.factor)});
}

OnnxGraph::Value OnnxLinear::real_weight(const Linear& linear, float factor) {
  const Parameter& w = linear.weight;
  return graph_.constant(w.name, {w.shape[1], w.shape[0]}, DType::f32,
                         [&w, factor] { return scaled(transposed<float>(w.value), factor); });
}

OnnxGraph::Value OnnxLinear::integer_weight(const Linear& linear, float factor) {
  const std::string& name = linear.weight.name;
  const auto integers = linear.weight.integers();
  const Value q = graph_.constant(name, {integers->in(), integers->out()}, DType::s8,
                                  [integers] { return transposed<int8_t>(integers->q()); });
  const Value scales = graph_.constant(name + ".scale", scaled(integers->grid().scale, factor));
  const Value zeros = graph_.constant(name + ".zero_point", Tensor::zeros({integers->out()}, DType::s8));
  return graph_.op("DequantizeLinear", {q, scales, zeros}, {{"axis", int64_t{1}}});
}

// Runtimes are quicker with u8 than with s8.
OnnxGraph::Value OnnxLinear::on_grid(const Value& x, const QuantGrid& given) {
  const QuantGrid grid = as_bytes(given);
  const float step = grid.scale.data<float>()[0];
  const int32_t zero_point = grid.zero_point.data<int32_t>()[0];
  const Value scale = graph_.scalar(step), zero = graph_.scalar(DType::u8, zero_point);
  Value& made =
      on_grid_[x + " " + scale + " " + zero + " " + std::to_string(grid.low) + " " + std::to_string(grid.high)];
  if (!made.empty()) return made;
  // QuantizeLinear clips at 0 and 255; symmetric grids begin at 1.
  const auto at = [&](int32_t q) { return graph_.scalar(static_cast<float>(q - zero_point) * step); };
  const bool whole = grid.low == 0 && grid.high == 255;
  const Value inside = whole ? x : graph_.op("Clip", {x, at(grid.low), at(grid.high)});
  const Value bytes = graph_.op("QuantizeLinear", {inside, scale, zero});
  return made = graph_.op("DequantizeLinear", {bytes, scale, zero});
}

// Standard operators know no grid for each row. So x becomes steps from the row's own zero point, and its bytes are
// those steps moved to where one grid for all rows has them: round(x / scale) + zero point, from 0 to 255. It is read
// relative to `middle`, near to most zero points, so that little precision is lost by moving: then
// x = (bytes - middle + minus_zero) scale.
const OnnxLinear::Rows& OnnxLinear::rows(const Value& x, int middle) {
  const auto [place, is_new] = rows_.try_emplace(x);
  Rows& made = place->second;
  if (!is_new) return made;
  const std::vector<OnnxGraph::Attribute> over_row = {{"axes", std::vector<int64_t>{-1}}, {"keepdims", int64_t{1}}};
  const Value smallest = graph_.scalar(255 * std::numeric_limits<float>::min());  // for a row of zeros
  const Value least = graph_.op("Clip", {graph_.op("ReduceMin", {x}, over_row), "", graph_.scalar(0.0F)});
  const Value most = graph_.op("Clip", {graph_.op("ReduceMax", {x}, over_row), smallest});
  made.scale = graph_.op("Div", {graph_.op("Sub", {most, least}), graph_.scalar(255.0F)});
  const Value per_step = graph_.op("Reciprocal", {made.scale});
  made.minus_zero = graph_.op("Round", {graph_.op("Mul", {least, per_step})});
  if (middle != 0) made.minus_zero = graph_.op("Add", {made.minus_zero, graph_.scalar(static_cast<float>(middle))});
  const Value steps = graph_.op("Sub", {graph_.op("Mul", {x, per_step}), made.minus_zero});
  const Value one = graph_.scalar(1.0F), zero = graph_.scalar(DType::u8, middle);
  made.bytes = graph_.op("DequantizeLinear", {graph_.op("QuantizeLinear", {steps, one, zero}), one, zero});
  return made;
}

OnnxGraph::Value OnnxLinear::dynamic(const Rows& x, const Linear& linear, float factor) {
  const auto integers = linear.weight.integers();
  const Value sums = graph_.constant(linear.weight.name + ".sums", {integers->out()}, DType::f32,
                                     [integers, factor] { return scaled(row_sums(*integers), factor); });
  const Value product = graph_.op("MatMul", {x.bytes, integer_weight(linear, factor)});
  const Value moved = graph_.op("Add", {product, graph_.op("Mul", {x.minus_zero, sums})});
  return graph_.op("Mul", {moved, x.scale});
}

}  // namespace espalier
