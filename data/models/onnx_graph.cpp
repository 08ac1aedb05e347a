// SPDX-License-Identifier: Apache-2.0
// Field numbers are those of onnx.proto.
#include "data/models/onnx_graph.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

#include "core/check.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr int ir_version = 8, opset = 17;  // which belong together
constexpr int64_t small_constant = 1024;   // bytes; those below always lie in the file itself
constexpr int64_t page = 4096;             // external data begins at multiples of it, so that it can be mapped
constexpr int graph_node = 1, graph_name = 2, graph_initializer = 5, graph_input = 11, graph_output = 12;
constexpr int tensor_dims = 1, tensor_type = 2, tensor_name = 8, tensor_raw_data = 9, tensor_external_data = 13,
              tensor_location = 14;

OnnxGraph::Type type_of(DType type) {
  if (type == DType::u8) return OnnxGraph::Type::u8;
  if (type == DType::s8) return OnnxGraph::Type::s8;
  CHECK(type == DType::f32, "onnx: a constant of ", name_of(type), "; expected f32, s8 or u8");
  return OnnxGraph::Type::f32;
}

// ValueInfoProto.
ProtobufMessage value_info(const std::string& name, OnnxGraph::Type type, const OnnxGraph::Dimensions& dimensions) {
  ProtobufMessage shape;
  for (const auto& dimension : dimensions) {
    ProtobufMessage one;
    if (const auto* const number = std::get_if<int64_t>(&dimension))
      one.number(1, *number);
    else
      one.text(2, std::get<const char*>(dimension));
    shape.message(1, one);
  }
  const ProtobufMessage tensor = ProtobufMessage().number(1, static_cast<int>(type)).message(2, shape);
  return ProtobufMessage().text(1, name).message(2, ProtobufMessage().message(1, tensor));
}

// AttributeProto. Its types: FLOAT 1, INT 2, INTS 7.
ProtobufMessage attribute_message(const OnnxGraph::Attribute& attribute) {
  ProtobufMessage message;
  message.text(1, attribute.name);
  if (const auto* const real = std::get_if<float>(&attribute.value)) return message.real(2, *real).number(20, 1);
  if (const auto* const number = std::get_if<int64_t>(&attribute.value))
    return message.number(3, *number).number(20, 2);
  for (const int64_t one : std::get<std::vector<int64_t>>(attribute.value)) message.number(8, one);
  return message.number(20, 7);
}

ProtobufMessage pair(const std::string& key, const std::string& value) {
  return ProtobufMessage().text(1, key).text(2, value);
}

std::string_view bytes_of(const Tensor& tensor) {
  return {reinterpret_cast<const char*>(tensor.raw()), tensor.bytes()};
}

Tensor tensor_of(const std::vector<int64_t>& values) {
  Tensor bytes({static_cast<int64_t>(sizeof(int64_t) * values.size())}, DType::u8);
  std::memcpy(bytes.raw(), values.data(), bytes.bytes());
  return bytes;
}

// ModelProto up to its graph of that many bytes.
ProtobufMessage model_head(int64_t length) {
  const ProtobufMessage opset_of_onnx = ProtobufMessage().text(1, "").number(2, opset);
  return ProtobufMessage().number(1, ir_version).text(2, "Espalier").message(8, opset_of_onnx).begin(7, length);
}

}  // namespace

OnnxGraph::Value OnnxGraph::input(const std::string& name, const Dimensions& dimensions) {
  inputs_.message(graph_input, value_info(name, Type::i64, dimensions));
  return name;
}

void OnnxGraph::output(const std::string& name, const Dimensions& dimensions) {
  outputs_.message(graph_output, value_info(name, Type::f32, dimensions));
}

OnnxGraph::Value OnnxGraph::add(Constant constant) {
  std::string name = constant.name;
  if (used_[name]++ == 0) constants_.push_back(std::move(constant));
  return name;
}

OnnxGraph::Value OnnxGraph::constant(const std::string& name, const Shape& shape, DType type,
                                     std::function<Tensor()> make) {
  return add({name,
              type_of(type),
              {shape.dims().begin(), shape.dims().end()},
              shape.size() * static_cast<int64_t>(size_of(type)),
              std::move(make)});
}

OnnxGraph::Value OnnxGraph::constant(const std::string& name, const Tensor& tensor) {
  return constant(name, tensor.shape(), tensor.dtype(), [tensor] { return tensor; });
}

OnnxGraph::Value OnnxGraph::scalar(float value) {
  return constant("f32/" + std::to_string(std::bit_cast<uint32_t>(value)), Tensor::of<float>({}, std::array{value}));
}

OnnxGraph::Value OnnxGraph::scalar(DType type, int value) {
  Tensor one(Shape{}, type);
  *one.raw() = static_cast<std::byte>(value);
  return constant(std::string(name_of(type)) + "/" + std::to_string(value), one);
}

OnnxGraph::Value OnnxGraph::integers(const std::vector<int64_t>& values) {
  std::string name = "i64";
  for (const int64_t value : values) name += "/" + std::to_string(value);
  return add(
      {name, Type::i64, {std::ssize(values)}, static_cast<int64_t>(sizeof(int64_t)) * std::ssize(values), [values] {
         return tensor_of(values);
       }});
}

OnnxGraph::Value OnnxGraph::op(const char* type, const std::vector<Value>& inputs,
                               const std::vector<Attribute>& attributes, const std::string& name) {
  std::string result = name.empty() ? scope_ + "/" + type : name;
  if (const int before = used_[result]++; before > 0) result += "_" + std::to_string(before);
  ProtobufMessage node;
  for (const Value& value : inputs) node.text(1, value);
  node.text(2, result).text(3, result).text(4, type);
  for (const Attribute& attribute : attributes) node.message(5, attribute_message(attribute));
  nodes_.message(graph_node, node);
  return result;
}

// One constant in the file: the bytes up to its values, and where these are.
struct OnnxGraph::Piece {
  std::string head;
  int64_t offset = -1;  // in the other file; negative: they follow the head
};

OnnxGraph::Piece OnnxGraph::piece(const Constant& constant, const std::string& data_file, int64_t& data_end) {
  ProtobufMessage tensor;
  for (const int64_t dim : constant.dims) tensor.number(tensor_dims, dim);
  tensor.number(tensor_type, static_cast<int>(constant.type)).text(tensor_name, constant.name);
  if (data_file.empty() || constant.bytes < small_constant) {
    tensor.begin(tensor_raw_data, constant.bytes);
    return {ProtobufMessage().begin(graph_initializer, tensor.size() + constant.bytes).bytes() + tensor.bytes()};
  }
  const int64_t offset = (data_end + page - 1) / page * page;
  data_end = offset + constant.bytes;
  tensor.message(tensor_external_data, pair("location", data_file))
      .message(tensor_external_data, pair("offset", std::to_string(offset)))
      .message(tensor_external_data, pair("length", std::to_string(constant.bytes)))
      .number(tensor_location, 1);
  return {ProtobufMessage().message(graph_initializer, tensor).bytes(), offset};
}

struct OnnxGraph::Layout {
  std::vector<Piece> pieces = {};  // of the constants
  std::string rest;                // of the graph, behind its nodes
  int64_t length = 0;              // of the graph with the constants that are not in the other file
};

// Without a data_file all is in one.
OnnxGraph::Layout OnnxGraph::lay_out(const std::string& data_file) const {
  Layout layout{.rest = ProtobufMessage().text(graph_name, "model").bytes() + inputs_.bytes() + outputs_.bytes()};
  layout.length = nodes_.size() + std::ssize(layout.rest);
  int64_t data_end = 0;
  for (const Constant& constant : constants_) {
    const Piece& one = layout.pieces.emplace_back(piece(constant, data_file, data_end));
    layout.length += std::ssize(one.head) + (one.offset < 0 ? constant.bytes : 0);
  }
  return layout;
}

int64_t OnnxGraph::bytes() const {
  const int64_t length = lay_out("").length;
  return model_head(length).size() + length;
}

void OnnxGraph::write(const fs::path& file, bool split) const {
  const std::string data_file = split ? file.filename().string() + "_data" : "";
  const Layout layout = lay_out(data_file);
  AtomicFile model(file);
  model.write(model_head(layout.length).bytes());
  model.write(nodes_.bytes());
  model.write(layout.rest);
  std::optional<AtomicFile> data;
  if (split) data.emplace(file.parent_path() / data_file);
  int64_t at = 0;  // in the other file
  for (size_t i = 0; i < constants_.size(); ++i) {
    const Piece& piece = layout.pieces[i];
    const Tensor values = constants_[i].make();
    CHECK(static_cast<int64_t>(values.bytes()) == constants_[i].bytes, "onnx: ", constants_[i].name, " has ",
          values.bytes(), " bytes; expected ", constants_[i].bytes);
    model.write(piece.head);
    if (piece.offset < 0) {
      model.write(bytes_of(values));
      continue;
    }
    data->write(std::string(static_cast<size_t>(piece.offset - at), '\0'));
    data->write(bytes_of(values));
    at = piece.offset + constants_[i].bytes;
  }
  if (data) data->commit();
  model.commit();
}

}  // namespace espalier
