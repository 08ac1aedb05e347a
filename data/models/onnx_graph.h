// SPDX-License-Identifier: Apache-2.0
// A graph of ONNX operators, opset 17, and the file of it. Used by data/models/onnx_export.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "data/files/protobuf.h"

namespace espalier {

class OnnxGraph {
 public:
  using Value = std::string;  // the name of an input, a constant or an operator's result

  // TensorProto.DataType.
  enum class Type { f32 = 1, u8 = 2, s8 = 3, i64 = 7 };

  struct Attribute {
    const char* name;
    std::variant<int64_t, float, std::vector<int64_t>> value;
  };

  // An input of int64 numbers, an output of f32 numbers. A dimension is a number or a name, which stands for any
  // number.
  using Dimensions = std::vector<std::variant<int64_t, const char*>>;
  Value input(const std::string& name, const Dimensions& dimensions);
  void output(const std::string& name, const Dimensions& dimensions);

  // A tensor of that shape and type, which is made when the file is written, and again if it is written again. A name
  // that is there already keeps the tensor that it has.
  Value constant(const std::string& name, const Shape& shape, DType type, std::function<Tensor()> make);
  Value constant(const std::string& name, const Tensor& tensor);
  Value scalar(float value);
  Value scalar(DType type, int value);                 // u8 or s8
  Value integers(const std::vector<int64_t>& values);  // [n] int64

  // The first result of an operator of ONNX; `name` replaces the one that follows from scope and type.
  Value op(const char* type, const std::vector<Value>& inputs, const std::vector<Attribute>& attributes = {},
           const std::string& name = "");
  // What the names of the next operators begin with.
  void enter(std::string scope) { scope_ = std::move(scope); }

  // Of the file, if all is in one.
  int64_t bytes() const;

  // Writes the file; with `split` the constants from 1 KB on lie in FILE_data beside it. Holds one constant at a time
  // in memory. Throws as AtomicFile does.
  void write(const std::filesystem::path& file, bool split) const;

 private:
  struct Constant {
    std::string name;
    Type type;
    std::vector<int64_t> dims;
    int64_t bytes;
    std::function<Tensor()> make;
  };

  struct Piece;
  struct Layout;

  Value add(Constant constant);
  Layout lay_out(const std::string& data_file) const;
  static Piece piece(const Constant& constant, const std::string& data_file, int64_t& data_end);

  std::string scope_;
  std::map<std::string, int> used_;  // names, and how often they were wanted
  ProtobufMessage nodes_, inputs_, outputs_;
  std::vector<Constant> constants_;
};

}  // namespace espalier
