// SPDX-License-Identifier: Apache-2.0
#include "compress/cutting/cut.h"

#include <algorithm>
#include <numeric>

#include "core/bitmap.h"
#include "core/check.h"
#include "nn/integers.h"
#include "nn/mask.h"

namespace espalier {
namespace {

// Calls f(element of the parameter, element of the piece).
template <class F>
void for_elements(const Shape& shape, const CutPart& piece, const F& f) {
  const int64_t width = shape.rank() > 1 ? shape.cols() : 1;
  const Indices rows = piece.rows ? *piece.rows : all_of(shape.rows()), cols = piece.cols ? *piece.cols : all_of(width);
  int64_t to = 0;
  for (const int64_t r : rows)
    for (const int64_t c : cols) f(r * width + c, to++);
}

template <class T>
void copy(const Tensor& from, const CutPart& piece, const Tensor& to) {
  for_elements(from.shape(), piece, [a = from.data<T>(), b = to.data<T>()](int64_t i, int64_t j) { b[j] = a[i]; });
}

Tensor copy_bits(const Mask& mask, const Shape& shape, const CutPart& piece, const Shape& to) {
  Tensor bits = Mask::bits_of(to, false);
  for_elements(shape, piece, [&](int64_t a, int64_t b) {
    if (mask.keeps(a)) set_bit(bits, b);
  });
  return bits;
}

// Rows keep their scales, and the input its grid: whoever is cut out met zeros.
std::shared_ptr<const QuantizedWeight> copy_integers(const QuantizedWeight& from, const CutPart& piece,
                                                     const Shape& to) {
  const Tensor q(to, DType::s8), scale({to.rows()}), zero_point({to.rows()}, DType::i32);
  const CutPart rows{.from = piece.from, .rows = piece.rows};
  copy<int8_t>(from.q(), piece, q);
  copy<float>(from.grid().scale, rows, scale);
  copy<int32_t>(from.grid().zero_point, rows, zero_point);
  return std::make_shared<QuantizedWeight>(q, QuantGrid{scale, zero_point, from.grid().low, from.grid().high},
                                           from.bits(), from.input(), from.products());
}

void check(const CutPart& piece, const Shape& from, const Parameter& to) {
  const int64_t width = from.rank() > 1 ? from.cols() : 1;
  const int64_t rows = piece.rows ? std::ssize(*piece.rows) : from.rows();
  const int64_t cols = piece.cols ? std::ssize(*piece.cols) : width;
  CHECK(to.shape.rank() == from.rank() && to.shape.rows() == rows && to.shape.size() == rows * cols, "cut: ", rows,
        " rows and ", cols, " columns of ", piece.from, from, " do not make ", to.name, to.shape);
}

}  // namespace

Indices all_of(int64_t n) {
  Indices indices(static_cast<size_t>(n));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return indices;
}

std::unique_ptr<Model> cut(const Model& model, const BertConfig& config, const Tokenizer& tokenizer,
                           const CutParts& pieces) {
  model.store.settle();
  auto small = std::make_unique<Model>(config, tokenizer);
  small->store.lay_out();
  for (Parameter* to : small->store.all()) {
    const auto found = pieces.find(to->name);
    const CutPart piece = found != pieces.end() ? found->second : CutPart{to->name};
    const Parameter& from = model.store.at(piece.from);
    check(piece, from.shape, *to);
    copy<float>(from.value, piece, to->value);
    if (const auto integers = from.integers()) set_integers(*to, copy_integers(*integers, piece, to->shape));
    if (const Mask* const mask = find_mask(from)) {
      const Tensor bits = copy_bits(*mask, from.shape, piece, to->shape);
      if (count_bits(bits) < to->shape.size()) hold(*to, bits);
    }
  }
  small->options = model.options;
  small->source = model.source;
  return small;
}

}  // namespace espalier
