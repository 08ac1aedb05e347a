// SPDX-License-Identifier: Apache-2.0
// For tests of ONNX files: reads one back, and computes what its graph computes, slowly and in double precision.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tests/data/models/onnx_ops.h"

namespace espalier {

struct OnnxNode {
  std::string type;
  std::vector<std::string> inputs;
  std::string output;
  std::map<std::string, std::vector<double>> attributes;  // one number, or a list
};

struct OnnxFile {
  // Throws std::runtime_error for what is no ONNX file of the fields that the exporter writes.
  explicit OnnxFile(const std::filesystem::path& path);

  // The output of the graph for these inputs. Throws std::runtime_error for an operator that the exporter has no use
  // for, for a name that no node before gives, and for shapes that do not fit.
  OnnxTensor run(std::map<std::string, OnnxTensor> values) const;

  int count(const std::string& type) const;  // of nodes

  std::vector<OnnxNode> nodes;  // in order
  std::map<std::string, OnnxTensor> constants;
  std::map<std::string, int> types;  // of the constants, as TensorProto.DataType
  std::vector<std::string> inputs, outputs;
  int64_t ir_version = 0, opset = 0;
  int external = 0;  // constants in another file
};

}  // namespace espalier
