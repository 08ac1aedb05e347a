// SPDX-License-Identifier: Apache-2.0
#include "compress/cut.h"

#include <algorithm>
#include <numeric>

#include "compress/mask.h"
#include "core/check.h"

namespace espalier {
namespace {

// Calls f(element of the parameter, element of the piece).
template <class F>
void for_elements(const Shape& shape, const Piece& piece, const F& f) {
  const int64_t width = shape.rank() > 1 ? shape.cols() : 1;
  const Indices rows = piece.rows ? *piece.rows : all_of(shape.rows()), cols = piece.cols ? *piece.cols : all_of(width);
  int64_t to = 0;
  for (const int64_t r : rows)
    for (const int64_t c : cols) f(r * width + c, to++);
}

void check(const Piece& piece, const Shape& from, const Parameter& to) {
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

std::unique_ptr<Model> cut(const Model& model, const BertConfig& config, const WordPiece& tokenizer,
                           const Pieces& pieces) {
  model.store.settle();
  auto small = std::make_unique<Model>(config, tokenizer);
  small->store.lay_out();
  for (const Parameter* to : small->store.all()) {
    const auto found = pieces.find(to->name);
    const Piece piece = found != pieces.end() ? found->second : Piece{to->name};
    const Parameter& from = model.store.at(piece.from);
    check(piece, from.shape, *to);
    const float* const values = from.value.data<float>();
    float* const kept = to->value.data<float>();
    for_elements(from.shape, piece, [&](int64_t a, int64_t b) { kept[b] = values[a]; });

    const auto pruned = model.pruned.find(piece.from);
    if (pruned == model.pruned.end()) continue;
    Mask mask(from.shape);
    mask.set(pruned->second);
    const Tensor bits = Mask::bits_of(to->shape, false);
    for_elements(from.shape, piece, [&](int64_t a, int64_t b) {
      if (mask.keeps(a)) bits.data<uint8_t>()[b / 8] |= static_cast<uint8_t>(1U << (b % 8));
    });
    if (!std::ranges::equal(bits.span<uint8_t>(), Mask::bits_of(to->shape, true).span<uint8_t>()))
      small->pruned[to->name] = bits;
  }
  small->options = model.options;
  small->source = model.source;
  return small;
}

}  // namespace espalier
