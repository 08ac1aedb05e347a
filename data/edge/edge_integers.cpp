// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "core/check.h"
#include "core/nibbles.h"
#include "data/edge/edge_weights.h"

namespace espalier {
namespace {

// The first `count` numbers, a byte each.
void unpack(const Tensor& packed, int64_t count, std::byte* to) {
  for (int64_t i = 0; i < count; ++i) to[i] = static_cast<std::byte>(nibble(packed.data<uint8_t>(), i));
}

QuantGrid grid_of(const EdgeFile& file, const std::string& name, int bits) {
  const Tensor scales = file.tensor(name + ".scales", DType::f32, 1);
  for (const float s : scales.span<float>())
    CHECK(std::isfinite(s) && s > 0, file.source(), ": section '", name, ".scales' holds ", s,
          "; expected positive numbers");
  const int32_t high = (1 << (bits - 1)) - 1;
  return {scales, Tensor::zeros({scales.size()}, DType::i32), -high, high};
}

std::optional<QuantGrid> input_of(const EdgeFile& file, const std::string& name) {
  if (!file.has(name + ".input_grid")) return std::nullopt;
  const Tensor t = reals_of(file, name + ".input_grid", {4});
  const auto whole = [&](int64_t i) { return static_cast<int32_t>(t.data<float>()[i]); };
  for (const float v : t.span<float>())
    CHECK(std::isfinite(v) && std::abs(v) < 1e9F, file.source(), ": section '", name, ".input_grid' holds ", v);
  const int32_t zero = whole(1), low = whole(2), high = whole(3);
  CHECK(t.data<float>()[0] > 0 && low < high && high - low <= 255 && (low == 0 || (low >= -128 && high <= 127)) &&
            zero >= low && zero <= high,
        file.source(), ": section '", name, ".input_grid' is no grid of 8 bits: zero point ", zero, ", ", low, " … ",
        high);
  return QuantGrid{Tensor::of<float>({1}, t.span<float>().first(1)), Tensor::of<int32_t>({1}, std::span(&zero, 1)), low,
                   high};
}

}  // namespace

bool has_integers(const EdgeFile& file, const std::string& name) { return file.has(name + ".bits"); }

std::shared_ptr<const QuantizedWeight> integers_of(const EdgeFile& file, const std::string& name) {
  const std::vector<int32_t> kind = file.integers(name + ".bits");
  CHECK(kind.size() == 2 && kind[0] >= 2 && kind[0] <= 8, file.source(), ": section '", name,
        ".bits' does not say 2 to 8 bits");
  const bool four = kind[0] <= 4;
  QuantGrid grid = grid_of(file, name, kind[0]);
  const int64_t rows = grid.rows();
  if (kind[1] == 0) {
    const bool halves = file.has(name + ".integers", DType::u8);
    Tensor q = file.tensor(name + ".integers", halves ? DType::u8 : DType::s8, 2);
    CHECK(q.rows() == rows, file.source(), ": section '", name, ".integers' has ", q.rows(), " rows and ", rows,
          " scales");
    if (halves) {
      const Tensor packed = q;
      q = Tensor({rows, 2 * packed.cols()}, DType::s8);
      unpack(packed, q.size(), q.raw());
    }
    return std::make_shared<const QuantizedWeight>(q, std::move(grid), kind[0], std::nullopt, false);
  }
  const std::vector<int32_t> shape = file.integers(name + ".shape");
  CHECK(shape.size() == 2 && shape[0] == rows && shape[1] > 0, file.source(), ": section '", name,
        ".shape' does not fit ", rows, " scales");
  PackedQuads packed = {file.tensor(name + ".quads", four ? DType::u8 : DType::i32, 2),
                        file.tensor(name + ".index", DType::i32, 1), file.tensor(name + ".firsts", DType::i32, 1)};
  constexpr int64_t bytes = 4 * kernels::panel_columns;
  if (four) {
    const Tensor halves = packed.values;
    CHECK(halves.cols() == bytes / 2, file.source(), ": section '", name, ".quads' has rows of ", halves.cols(),
          " bytes, expected ", bytes / 2);
    packed.values = Tensor({halves.rows(), kernels::panel_columns}, DType::i32);
    unpack(halves, halves.rows() * bytes, packed.values.raw());
  }
  try {
    return std::make_shared<const QuantizedWeight>(shape[1], std::move(packed), std::move(grid), kind[0],
                                                   input_of(file, name));
  } catch (const Error& error) { fail(file.source(), ": ", name, ": ", error.what()); }
}

}  // namespace espalier
