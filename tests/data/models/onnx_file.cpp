// SPDX-License-Identifier: Apache-2.0
#include "tests/data/models/onnx_file.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "tests/data/models/onnx_ops.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

struct Field {
  int number;
  uint64_t integer = 0;
  float real = 0;
  std::string_view bytes = {};
};

std::vector<Field> fields_of(std::string_view message) {
  std::vector<Field> fields;
  size_t at = 0;
  const auto varint = [&] {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      require(at < message.size(), "a message is cut off");
      const auto byte = static_cast<unsigned char>(message[at++]);
      value |= static_cast<uint64_t>(byte & 0x7fU) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.size()) {
    const uint64_t tag = varint();
    Field field{static_cast<int>(tag >> 3U)};
    if ((tag & 7U) == 0) {
      field.integer = varint();
    } else if ((tag & 7U) == 5) {
      std::memcpy(&field.real, message.substr(at, 4).data(), 4);
      at += 4;
    } else {
      require((tag & 7U) == 2, "a field of an unknown wire type");
      const uint64_t length = varint();
      require(length <= message.size() - at, "a field is cut off");
      field.bytes = message.substr(at, length);
      at += length;
    }
    fields.push_back(field);
  }
  return fields;
}

std::string text_of(std::string_view message, int number) {
  for (const Field& field : fields_of(message))
    if (field.number == number) return std::string(field.bytes);
  return "";
}

template <class T>
std::vector<double> numbers(std::string_view bytes) {
  std::vector<double> values(bytes.size() / sizeof(T));
  for (size_t i = 0; i < values.size(); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    values[i] = static_cast<double>(value);
  }
  return values;
}

std::vector<double> numbers_of_type(int type, std::string_view bytes) {
  if (type == 1) return numbers<float>(bytes);
  if (type == 2) return numbers<uint8_t>(bytes);
  if (type == 3) return numbers<int8_t>(bytes);
  require(type == 7, "a constant of type " + std::to_string(type));
  return numbers<int64_t>(bytes);
}

OnnxNode node_of(std::string_view message) {
  OnnxNode node;
  for (const Field& field : fields_of(message)) {
    if (field.number == 1) node.inputs.emplace_back(field.bytes);
    if (field.number == 2) node.output = field.bytes;
    if (field.number == 4) node.type = field.bytes;
    if (field.number != 5) continue;
    std::vector<double>& values = node.attributes[text_of(field.bytes, 1)];
    for (const Field& part : fields_of(field.bytes)) {
      if (part.number == 2) values.push_back(static_cast<double>(part.real));
      if (part.number == 3 || part.number == 8)
        values.push_back(static_cast<double>(static_cast<int64_t>(part.integer)));
    }
  }
  return node;
}

void read_constant(OnnxFile& file, std::string_view message, const std::filesystem::path& folder) {
  OnnxTensor tensor;
  int type = 0;
  std::string name, other, data;
  std::string_view raw;
  size_t offset = 0, length = 0;
  for (const Field& field : fields_of(message)) {
    if (field.number == 1) tensor.dims.push_back(static_cast<int64_t>(field.integer));
    if (field.number == 2) type = static_cast<int>(field.integer);
    if (field.number == 8) name = field.bytes;
    if (field.number == 9) raw = field.bytes;
    if (field.number != 13) continue;
    const std::string key = text_of(field.bytes, 1), value = text_of(field.bytes, 2);
    if (key == "location") other = value;
    if (key == "offset") offset = std::stoul(value);
    if (key == "length") length = std::stoul(value);
  }
  if (!other.empty()) {
    ++file.external;
    data = read_bytes(folder / other).substr(offset, length);
    raw = data;
  }
  tensor.values = numbers_of_type(type, raw);
  require(product(tensor.dims) == std::ssize(tensor.values), name + " has another number of values than its shape");
  require(file.constants.emplace(name, tensor).second, name + " is there twice");
  file.types[name] = type;
}

}  // namespace

OnnxFile::OnnxFile(const std::filesystem::path& path) {
  const std::string bytes = read_bytes(path);
  for (const Field& field : fields_of(bytes)) {
    if (field.number == 1) ir_version = static_cast<int64_t>(field.integer);
    if (field.number == 8)
      for (const Field& part : fields_of(field.bytes))
        if (part.number == 2) opset = static_cast<int64_t>(part.integer);
    if (field.number != 7) continue;
    for (const Field& part : fields_of(field.bytes)) {
      if (part.number == 1) nodes.push_back(node_of(part.bytes));
      if (part.number == 5) read_constant(*this, part.bytes, path.parent_path());
      if (part.number == 11) inputs.push_back(text_of(part.bytes, 1));
      if (part.number == 12) outputs.push_back(text_of(part.bytes, 1));
    }
  }
}

OnnxTensor OnnxFile::run(std::map<std::string, OnnxTensor> values) const {
  values.insert(constants.begin(), constants.end());
  for (const OnnxNode& node : nodes) {
    std::vector<const OnnxTensor*> in;
    for (const std::string& name : node.inputs) {
      require(name.empty() || values.contains(name), node.output + " reads " + name + ", which is not there");
      in.push_back(name.empty() ? nullptr : &values.at(name));
    }
    require(onnx_ops().contains(node.type), "the operator " + node.type);
    require(values.emplace(node.output, onnx_ops().at(node.type)(in, node.attributes)).second,
            node.output + " is there twice");
  }
  return values.at(outputs.at(0));
}

int OnnxFile::count(const std::string& type) const {
  return static_cast<int>(std::ranges::count(nodes, type, &OnnxNode::type));
}

}  // namespace espalier
