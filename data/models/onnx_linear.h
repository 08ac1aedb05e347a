// SPDX-License-Identifier: Apache-2.0
// Linear layers as ONNX operators: in f32, or with the integers of their weights. Used by data/models/onnx_export.
#pragma once

#include <map>
#include <string>

#include "data/models/onnx_graph.h"
#include "nn/linear.h"

namespace espalier {

class OnnxLinear {
 public:
  explicit OnnxLinear(OnnxGraph& graph) : graph_(graph) {}

  struct How {
    float factor = 1;              // of the result; it goes into weight and bias where they lose no bit
    bool hardly_negative = false;  // the input, as behind GELU
  };
  // factor (x w^T + b) of x[…, in]. The layer must outlive the graph.
  OnnxGraph::Value operator()(const OnnxGraph::Value& x, const Linear& linear, How how);
  OnnxGraph::Value operator()(const OnnxGraph::Value& x, const Linear& linear) { return (*this)(x, linear, How()); }

 private:
  using Value = OnnxGraph::Value;

  // x[…, in] with a grid for each row: x = (bytes + minus_zero) scale.
  struct Rows {
    Value bytes, minus_zero, scale;
  };

  Value real_weight(const Linear& linear, float factor);
  Value integer_weight(const Linear& linear, float factor);
  Value on_grid(const Value& x, const QuantGrid& grid);
  const Rows& rows(const Value& x, int middle);
  Value dynamic(const Rows& x, const Linear& linear, float factor);

  OnnxGraph& graph_;
  std::map<std::string, Value> on_grid_;  // what several layers read is made once
  std::map<Value, Rows> rows_;
};

}  // namespace espalier
