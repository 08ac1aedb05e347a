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

  // factor (x w^T + b) of x[…, in]. The factor goes into weight and bias where these bits stay the same. The layer must
  // outlive the graph.
  OnnxGraph::Value operator()(const OnnxGraph::Value& x, const Linear& linear, float factor = 1);

 private:
  using Value = OnnxGraph::Value;

  // x[…, in] with a grid for each row: x = (on_grid - zero) scale.
  struct Rows {
    Value on_grid, scale, minus_zero;
  };

  Value integer_weight(const Linear& linear, float factor);
  Value on_grid(const Value& x, const QuantGrid& grid);
  const Rows& rows(const Value& x);
  Value dynamic(const Value& x, const Linear& linear, float factor);

  OnnxGraph& graph_;
  std::map<std::string, Value> static_;  // what several layers read is made once
  std::map<Value, Rows> dynamic_;
};

}  // namespace espalier
