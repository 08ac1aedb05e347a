// SPDX-License-Identifier: Apache-2.0
#include "data/models/tensor_encoding.h"

#include <atomic>
#include <bit>
#include <span>
#include <sstream>
#include <vector>

#include "core/bitmap.h"
#include "core/check.h"
#include "core/parallel.h"

namespace espalier {
namespace {

const char* const dense = "dense";
const char* const sparse = "sparse";

uint32_t bits_of(float value) { return std::bit_cast<uint32_t>(value); }

// How many of them are not +0.
int64_t count_stored(std::span<const float> values) {
  std::atomic<int64_t> stored = 0;
  parallel_rows(std::ssize(values), 1 << 16, [&](int64_t begin, int64_t end) {
    int32_t here = 0;
    for (int64_t i = begin; i < end; ++i) here += bits_of(values[static_cast<size_t>(i)]) != 0 ? 1 : 0;
    stored += here;
  });
  return stored;
}

std::string encoding_of(const Hdf5Group& group, const std::string& name) {
  std::string encoding = group.attribute(name, "encoding");
  CHECK(encoding == dense || encoding == sparse, group.where(name), " is encoded as \"", encoding,
        "\", which this program does not know; expected dense or sparse");
  return encoding;
}

}  // namespace

void write_tensor(const Hdf5Group& group, const std::string& name, const Tensor& tensor) {
  const auto values = tensor.span<float>();
  const int64_t n = tensor.size(), bytes = (n + 7) / 8;
  const int64_t stored = count_stored(values);
  if (bytes + 4 * stored >= 4 * n) {
    group.write(name, tensor);
    group.set_attribute(name, "encoding", dense);
    return;
  }
  const Tensor bitmap = no_bits(n), rest({stored});
  float* to = rest.data<float>();
  for (int64_t i = 0; i < n; ++i) {
    const float v = values[static_cast<size_t>(i)];
    if (bits_of(v) == 0) continue;
    set_bit(bitmap, i);
    *to++ = v;
  }
  const Hdf5Group parts = group.create_group(name);
  group.set_attribute(name, "encoding", sparse);
  group.set_attribute(name, "shape", shape_text(tensor.shape()));
  parts.write("bitmap", bitmap);
  parts.write("values", rest);
}

Shape tensor_shape(const Hdf5Group& group, const std::string& name) {
  if (encoding_of(group, name) == dense) return group.info(name).shape;
  return shape_attribute(group, name);
}

std::string shape_text(const Shape& shape) {
  std::ostringstream text;
  for (const int64_t d : shape.dims()) text << (text.tellp() > 0 ? " " : "") << d;
  return text.str();
}

Shape shape_attribute(const Hdf5Group& group, const std::string& name) {
  const std::string text = group.attribute(name, "shape");
  std::istringstream in(text);
  std::vector<int64_t> dims;
  for (int64_t d = 0; in >> d;) dims.push_back(d);
  CHECK(in.eof(), group.where(name), " has the shape \"", text, "\"; expected numbers such as \"384 1536\"");
  try {
    return Shape(dims);
  } catch (const Error& error) { fail(group.where(name), ": ", error.what()); }
}

Tensor read_bitmap(const Hdf5Group& parts, const Shape& shape) {
  const int64_t n = shape.size();
  Tensor bitmap(Shape{(n + 7) / 8}, DType::u8);
  parts.read_into("bitmap", bitmap);
  CHECK(n % 8 == 0 || bitmap.span<uint8_t>().back() >> (n % 8) == 0, parts.where("bitmap"),
        " has bits behind the last element of ", shape, "; the file is damaged");
  return bitmap;
}

void read_tensor_into(const Hdf5Group& group, const std::string& name, const Tensor& to) {
  if (encoding_of(group, name) == dense) return group.read_into(name, to);
  const Shape shape = tensor_shape(group, name);
  CHECK(shape == to.shape(), group.where(name), " is ", shape, "; expected ", to.shape());
  const int64_t n = shape.size();
  const Hdf5Group parts = group.group(name);
  const Tensor bitmap = read_bitmap(parts, shape);
  const Tensor values(Shape{count_bits(bitmap)});
  parts.read_into("values", values);  // an Error unless there are as many values as bits
  const float* from = values.data<float>();
  for (int64_t i = 0; i < n; ++i) to.data<float>()[i] = bit(bitmap, i) ? *from++ : 0.0F;
}

StoredTensor stored_tensor(const Hdf5Group& group, const std::string& name) {
  StoredTensor stored{encoding_of(group, name), 0};
  if (stored.encoding == dense) {
    stored.bytes = 4 * group.info(name).shape.size();
  } else {
    const Hdf5Group parts = group.group(name);
    stored.bytes = parts.info("bitmap").shape.size() + 4 * parts.info("values").shape.size();
  }
  return stored;
}

}  // namespace espalier
