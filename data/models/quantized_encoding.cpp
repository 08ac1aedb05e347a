// SPDX-License-Identifier: Apache-2.0
#include "data/models/quantized_encoding.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/bitmap.h"
#include "core/check.h"
#include "core/nibbles.h"
#include "core/parallel.h"
#include "data/models/tensor_encoding.h"

namespace espalier {
namespace {

// to[0 … n) = the next of `value`(0), `value`(1) … where the bitmap has a bit, else zero.
template <class F>
void scatter(int64_t n, const uint8_t* bitmap, const F& value, int8_t* to) {
  int64_t at = 0;
  for (int64_t i = 0; i < n; i += 8) {
    const int64_t end = std::min<int64_t>(8, n - i);
    if (bitmap[i / 8] == 0)
      std::fill_n(to + i, end, int8_t{0});
    else
      for (int64_t b = 0; b < end; ++b) to[i + b] = (bitmap[i / 8] >> b & 1) != 0 ? value(at++) : int8_t{0};
  }
}

// The integers of a matrix. No bitmap: all are stored.
Tensor unpacked(const Shape& shape, const Tensor& bitmap, const Tensor& values, bool four) {
  if (!bitmap && !four) return values.reshaped(shape);
  Tensor q(shape, DType::s8);
  int8_t* const to = q.data<int8_t>();
  const auto* const nibbles = reinterpret_cast<const uint8_t*>(values.raw());
  const auto* const bytes = reinterpret_cast<const int8_t*>(values.raw());
  if (!bitmap)
    for (int64_t i = 0; i < q.size(); ++i) to[i] = nibble(nibbles, i);
  else if (four)
    scatter(
        q.size(), bitmap.data<uint8_t>(), [&](int64_t i) { return nibble(nibbles, i); }, to);
  else
    scatter(
        q.size(), bitmap.data<uint8_t>(), [&](int64_t i) { return bytes[i]; }, to);
  return q;
}

// Smallest and largest of q, and zero.
std::pair<int, int> extremes(const Tensor& q) {
  constexpr int64_t piece = 1 << 18;
  const int64_t pieces = (q.size() + piece - 1) / piece;
  std::vector<int8_t> least(static_cast<size_t>(pieces)), most(least.size());
  parallel_for(pieces, [&](int64_t p) {
    const int8_t* const from = q.data<int8_t>() + p * piece;
    int8_t low = 0, high = 0;
    for (int64_t i = 0, n = std::min(piece, q.size() - p * piece); i < n; ++i) {
      low = std::min(low, from[i]);
      high = std::max(high, from[i]);
    }
    least[static_cast<size_t>(p)] = low;
    most[static_cast<size_t>(p)] = high;
  });
  if (pieces == 0) return {0, 0};
  return {*std::ranges::min_element(least), *std::ranges::max_element(most)};
}

int bits_attribute(const Hdf5Group& group, const std::string& name) {
  const std::string text = group.attribute(name, "bits");
  CHECK(text.size() == 1 && text[0] >= '2' && text[0] <= '8', group.where(name), " has \"", text,
        "\" bits; expected 2 to 8");
  return text[0] - '0';
}

std::optional<QuantGrid> read_input(const Hdf5Group& parts) {
  if (!parts.contains("input_grid")) return std::nullopt;
  const Tensor numbers({4});
  parts.read_into("input_grid", numbers);
  const float *const v = numbers.data<float>(), scale = v[0];
  const auto whole = [](float x) { return x >= -128 && x <= 255 && x == std::nearbyint(x); };
  CHECK(scale > 0 && std::isfinite(scale) && whole(v[1]) && whole(v[2]) && whole(v[3]) && v[2] < v[3] && v[1] >= v[2] &&
            v[1] <= v[3] && (v[2] >= 0 || v[3] <= 127),
        parts.where("input_grid"), " is no grid of 8-bit integers: scale ", scale, ", zero point ", v[1], ", from ",
        v[2], " to ", v[3]);
  QuantGrid grid{Tensor({1}), Tensor({1}, DType::i32), static_cast<int32_t>(v[2]), static_cast<int32_t>(v[3])};
  grid.scale.data<float>()[0] = scale;
  grid.zero_point.data<int32_t>()[0] = static_cast<int32_t>(v[1]);
  return grid;
}

}  // namespace

void write_quantized(const Hdf5Group& group, const std::string& name, const QuantizedWeight& weight) {
  const Tensor matrix = weight.q();
  const auto q = matrix.span<int8_t>();
  const bool four = weight.bits() <= 4;
  const auto bytes_of = [&](int64_t n) { return four ? (n + 1) / 2 : n; };
  const int64_t n = std::ssize(q), bitmap_bytes = (n + 7) / 8;
  std::vector<int8_t> rest;
  const Tensor bitmap = no_bits(n);
  for (int64_t i = 0; i < n; ++i) {
    const int8_t v = q[static_cast<size_t>(i)];
    if (v == 0) continue;
    rest.push_back(v);
    set_bit(bitmap, i);
  }
  const bool sparse = bitmap_bytes + bytes_of(std::ssize(rest)) < bytes_of(n);
  if (!sparse) rest.assign(q.begin(), q.end());
  const Hdf5Group parts = group.create_group(name);
  group.set_attribute(name, "encoding", four ? "int4" : "int8");
  group.set_attribute(name, "shape", shape_text(matrix.shape()));
  group.set_attribute(name, "bits", std::to_string(weight.bits()));
  group.set_attribute(name, "products", weight.products() ? "true" : "false");
  if (sparse) parts.write("bitmap", bitmap);
  parts.write("values", four ? packed_nibbles(rest) : Tensor::of<int8_t>({std::ssize(rest)}, rest));
  parts.write("scales", weight.grid().scale);
  if (const auto& input = weight.input())
    parts.write(
        "input_grid",
        Tensor::of<float>({4}, std::vector<float>{input->scale.data<float>()[0],
                                                  static_cast<float>(input->zero_point.data<int32_t>()[0]),
                                                  static_cast<float>(input->low), static_cast<float>(input->high)}));
}

bool is_quantized(const Hdf5Group& group, const std::string& name) {
  if (!group.has_attribute(name, "encoding")) return false;
  const std::string encoding = group.attribute(name, "encoding");
  return encoding == "int8" || encoding == "int4";
}

Shape quantized_shape(const Hdf5Group& group, const std::string& name) { return shape_attribute(group, name); }

std::shared_ptr<const QuantizedWeight> read_quantized(const Hdf5Group& group, const std::string& name) {
  const Shape shape = quantized_shape(group, name);
  CHECK(shape.rank() == 2, group.where(name), " has the shape ", shape, "; expected a matrix");
  const int bits = bits_attribute(group, name);
  const bool four = group.attribute(name, "encoding") == "int4";
  CHECK(four == (bits <= 4), group.where(name), " is encoded as ", four ? "int4" : "int8", " but has ", bits, " bits");
  const Hdf5Group parts = group.group(name);
  const int64_t n = shape.size();
  int64_t stored = n;
  Tensor bitmap;
  if (parts.contains("bitmap")) {
    bitmap = read_bitmap(parts, shape);
    stored = count_bits(bitmap);
  }
  const Tensor values({four ? (stored + 1) / 2 : stored}, four ? DType::u8 : DType::s8);
  parts.read_into("values", values);  // an Error unless there are as many values as bits
  QuantGrid grid{Tensor({shape[0]}), Tensor::zeros({shape[0]}, DType::i32), -((1 << (bits - 1)) - 1),
                 (1 << (bits - 1)) - 1};
  parts.read_into("scales", grid.scale);
  for (const float s : grid.scale.span<float>())
    CHECK(s > 0 && std::isfinite(s), parts.where("scales"), " holds ", s, "; expected positive numbers");
  const Tensor q = unpacked(shape, bitmap, values, four);
  const auto [least, most] = extremes(q);
  CHECK(least >= grid.low && most <= grid.high, parts.where("values"), " holds ", least < grid.low ? least : most,
        "; expected numbers from ", grid.low, " to ", grid.high);
  const std::string products = group.attribute(name, "products");
  CHECK(products == "true" || products == "false", group.where(name), " has products \"", products,
        "\"; expected true or false");
  const auto weight = std::make_shared<QuantizedWeight>(q, grid, bits, read_input(parts), products == "true");
  weight->drop_matrix();
  return weight;
}

}  // namespace espalier
