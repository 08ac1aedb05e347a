// SPDX-License-Identifier: Apache-2.0
// For tests of ONNX files: the operators that the exporter uses, in double precision.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace espalier {

struct OnnxTensor {
  std::vector<int64_t> dims;
  std::vector<double> values;
};

// By name; an input that is left out is null. They throw std::runtime_error for shapes that do not fit.
using OnnxOp = std::function<OnnxTensor(const std::vector<const OnnxTensor*>& inputs,
                                        const std::map<std::string, std::vector<double>>& attributes)>;
const std::map<std::string, OnnxOp>& onnx_ops();

void require(bool condition, const std::string& what);  // throws std::runtime_error
int64_t product(const std::vector<int64_t>& dims);

}  // namespace espalier
