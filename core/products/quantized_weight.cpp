// SPDX-License-Identifier: Apache-2.0
#include "core/products/quantized_weight.h"

#include <algorithm>
#include <cstring>

#include "core/check.h"
#include "core/kernels/fake_quant.h"
#include "core/kernels/gemm_int8.h"
#include "core/parallel.h"
#include "core/products/narrow_order.h"

namespace espalier {

using kernels::panel_columns;

namespace {

// A panel of q: those quads that are not zero in all of its columns; `group` of them are left out together or kept.
struct QuadPanel {
  std::vector<int32_t> index, values;
};

QuadPanel panel_of(const Tensor& q, int64_t first, int64_t group) {
  const int64_t in = q.cols(), rows = std::min(panel_columns, q.rows() - first), quads = kernels::quads_of(in);
  QuadPanel panel;
  panel.values.resize(static_cast<size_t>(quads * panel_columns));
  kernels::pack_rows_int8(rows, in, q.data<int8_t>() + first * in, in,
                          reinterpret_cast<uint32_t*>(panel.values.data()));
  const auto at = [&](int64_t quad) { return panel.values.begin() + quad * panel_columns; };
  auto end = panel.values.begin();
  for (int64_t quad = 0; quad < quads; quad += group) {
    const int64_t last = std::min(quads, quad + group);
    if (std::all_of(at(quad), at(last), [](int32_t four) { return four == 0; })) continue;
    end = end == at(quad) ? at(last) : std::copy(at(quad), at(last), end);
    for (int64_t k = quad; k < last; ++k) panel.index.push_back(static_cast<int32_t>(k));
  }
  panel.values.erase(end, panel.values.end());
  return panel;
}

PackedQuads pack(const Tensor& q, int64_t group) {
  std::vector<QuadPanel> panels(static_cast<size_t>(kernels::panels_of(q.rows())));
  parallel_for(std::ssize(panels), [&](int64_t i) { panels[i] = panel_of(q, i * panel_columns, group); });
  PackedQuads packed;
  packed.firsts = Tensor::zeros({std::ssize(panels) + 1}, DType::i32);
  int32_t* const firsts = packed.firsts.data<int32_t>();
  for (size_t i = 0; i < panels.size(); ++i) firsts[i + 1] = firsts[i] + static_cast<int32_t>(panels[i].index.size());
  const int64_t left = firsts[panels.size()];
  packed.values = Tensor({left, panel_columns}, DType::i32);
  packed.index = Tensor({left}, DType::i32);
  parallel_for(std::ssize(panels), [&](int64_t i) {
    std::copy(panels[i].values.begin(), panels[i].values.end(),
              packed.values.data<int32_t>() + firsts[i] * panel_columns);
    std::copy(panels[i].index.begin(), panels[i].index.end(), packed.index.data<int32_t>() + firsts[i]);
  });
  return packed;
}

}  // namespace

QuantizedWeight::QuantizedWeight(Tensor q, QuantGrid grid, int bits, std::optional<QuantGrid> input, bool products)
    : q_(std::move(q)), in_(q_.cols()), grid_(std::move(grid)), bits_(bits), input_(std::move(input)) {
  CHECK(q_.dtype() == DType::s8 && q_.shape().rank() == 2 && grid_.rows() == q_.rows(),
        "quantized weight: ", name_of(q_.dtype()), q_.shape(), " with ", grid_.rows(),
        " scales; expected s8[out, in] and a scale for each row");
  check();
  if (!products) return;
  group_ = kernels::gemm_int8_group();
  take(pack(q_, group_));
  add_up();
  order_panels();
}

QuantizedWeight::QuantizedWeight(int64_t in, PackedQuads packed, QuantGrid grid, int bits,
                                 std::optional<QuantGrid> input)
    : in_(in), grid_(std::move(grid)), bits_(bits), input_(std::move(input)) {
  check();
  take(std::move(packed));
  check_integers();
  add_up();
  group_ = kernels::gemm_int8_group();
  if (group_ > 1 || kernels::gemm_int8_narrows()) take(pack(unpacked(), group_));
  order_panels();
}

void QuantizedWeight::check() const {
  CHECK(bits_ >= 2 && bits_ <= 8, "quantized weight: ", bits_, " bits; expected 2 to 8");
  CHECK(in_ <= 65536, "quantized weight: rows of ", in_,
        "; expected at most 65536, so that 32-bit sums do not overflow");
  CHECK(!input_ || input_->rows() == 1, "quantized weight: ", input_->rows(), " scales for its input; one is expected");
}

void QuantizedWeight::take(PackedQuads packed) {
  const int64_t panels = kernels::panels_of(out()), quads = kernels::quads_of(in_), left = packed.index.size();
  CHECK(packed.firsts.size() == panels + 1 && packed.values.size() == left * panel_columns,
        "quantized weight: ", packed.firsts.size(), " panels and ", packed.values.shape(), " quads do not fit ", out(),
        " rows of ", in_);
  const int32_t *const firsts = packed.firsts.data<int32_t>(), *const index = packed.index.data<int32_t>();
  contents_.assign(static_cast<size_t>(panels), {});
  for (int64_t i = 0; i < panels; ++i) {
    const bool fits = firsts[0] == 0 && firsts[panels] == left && firsts[i] >= 0 && firsts[i] <= firsts[i + 1] &&
                      firsts[i + 1] <= left;
    bool ascends = fits;
    for (int64_t k = firsts[i]; ascends && k < firsts[i + 1]; ++k)
      ascends = index[k] < quads && index[k] > (k > firsts[i] ? index[k - 1] : -1);
    CHECK(ascends, "quantized weight: the places of the quads of panel ", i, " are not in order below ", quads);
    contents_[static_cast<size_t>(i)].in_place = firsts[i + 1] - firsts[i] == quads;
  }
  packed_ = std::move(packed);
}

void QuantizedWeight::order_panels() {
  if (!kernels::gemm_int8_narrows()) return;
  parallel_for(std::ssize(contents_), [&](int64_t i) {
    Contents& contents = contents_[static_cast<size_t>(i)];
    const int64_t first = packed_.firsts.data<int32_t>()[i], left = packed_.firsts.data<int32_t>()[i + 1] - first;
    int32_t* const index = packed_.index.data<int32_t>() + first;
    int32_t* const values = packed_.values.data<int32_t>() + first * panel_columns;
    contents.narrow = order_for_narrow_sums(left, reinterpret_cast<uint32_t*>(values), index);
    contents.in_place = contents.in_place && std::is_sorted(index, index + left);
  });
}

void QuantizedWeight::add_up() {
  sums_ = Tensor::zeros({out()}, DType::i32);
  parallel_for(std::ssize(contents_), [&](int64_t i) {
    const Panel p = panel(i);
    if (p.values == nullptr) return;  // nothing is left of the whole weight
    const auto* const bytes = reinterpret_cast<const int8_t*>(p.values);
    int32_t sums[panel_columns] = {};
    for (int64_t k = 0; k < p.quads; ++k)
      for (int64_t c = 0; c < panel_columns; ++c)
        for (int64_t j = 0; j < 4; ++j) sums[c] += bytes[4 * (k * panel_columns + c) + j];
    std::copy_n(sums, std::min(panel_columns, out() - i * panel_columns), sums_.data<int32_t>() + i * panel_columns);
  });
}

void QuantizedWeight::check_integers() const {
  parallel_for(std::ssize(contents_), [&](int64_t i) {
    const Panel p = panel(i);
    const auto* const bytes = reinterpret_cast<const int8_t*>(p.values);
    const int64_t rows = std::min(panel_columns, out() - i * panel_columns);
    bool fits = true;
    for (int64_t k = 0; k < p.quads; ++k) {
      const int64_t quad = p.index != nullptr ? p.index[k] : k, columns = std::min<int64_t>(4, in_ - 4 * quad);
      for (int64_t c = 0; c < panel_columns; ++c)
        for (int64_t j = 0; j < 4; ++j) {
          const int8_t q = bytes[4 * (k * panel_columns + c) + j];
          fits &= q == 0 || (q >= grid_.low && q <= grid_.high && c < rows && j < columns);
        }
    }
    CHECK(fits, "quantized weight: panel ", i, " holds integers outside ", grid_.low, " … ", grid_.high,
          ", or behind the ends of its rows");
  });
}

PackedQuads QuantizedWeight::packed() const { return pack(q(), 1); }

std::optional<kernels::GridRow> QuantizedWeight::input_row() const {
  if (!input_) return std::nullopt;
  return row_of(as_bytes(*input_), 0);
}

bool QuantizedWeight::shares_input(const QuantizedWeight& other) const {
  if (!input_ || !other.input_) return !input_ && !other.input_;
  return row_of(*input_, 0) == row_of(*other.input_, 0);
}

QuantizedWeight::Panel QuantizedWeight::panel(int64_t i) const {
  const Contents& contents = contents_[static_cast<size_t>(i)];
  const int64_t first = packed_.firsts.data<int32_t>()[i];
  return {.quads = packed_.firsts.data<int32_t>()[i + 1] - first,
          .index = contents.in_place ? nullptr : packed_.index.data<int32_t>() + first,
          .values = reinterpret_cast<const uint32_t*>(packed_.values.data<int32_t>()) + first * panel_columns,
          .narrow = contents.narrow};
}

void QuantizedWeight::multiply(int64_t i, const Rows& x, const float* bias, kernels::Int8Output to) const noexcept {
  constexpr int64_t most_rows = 32;
  alignas(64) int32_t sums[most_rows * panel_columns];
  const int64_t first = i * panel_columns, step = std::min(most_rows, kernels::gemm_int8_rows());
  const Panel p = panel(i);
  to.columns = std::min(panel_columns, out() - first);
  to.sums = sums;
  to.ld_sums = panel_columns;
  to.by_row = x.by_row;
  to.weight_sums = sums_.data<int32_t>() + first;
  to.scales = grid_.scale.data<float>() + first;
  to.bias = bias + first;
  for (int64_t row = 0; row < x.rows; row += step) {
    to.rows = std::min(step, x.rows - row);
    kernels::gemm_int8({.m = to.rows,
                        .n = to.columns,
                        .quads = p.quads,
                        .a = x.x + row * x.stride,
                        .lda = x.stride,
                        .index = p.index,
                        .group = group_,
                        .b = p.values,
                        .bits = bits_,
                        .narrow = p.narrow,
                        .c = sums,
                        .ldc = panel_columns});
    to.zero_points = x.zero_points + (x.by_row ? row : 0);
    to.x_scales = x.scales + (x.by_row ? row : 0);
    kernels::write_int8_output(to);
    if (to.bytes != nullptr)
      to.bytes += step * to.ldy;
    else
      to.y += step * to.ldy;
  }
}

void QuantizedWeight::row(int64_t i, float* to) const noexcept {
  kernels::dequantize(in_, q_.data<int8_t>() + i * in_, row_of(grid_, i), to);
}

void QuantizedWeight::drop_matrix() {
  if (products()) q_ = {};
}

Tensor QuantizedWeight::unpacked() const {
  Tensor q = Tensor::zeros({out(), in_}, DType::s8);
  parallel_for(kernels::panels_of(out()), [&](int64_t i) {
    const Panel p = panel(i);
    const int64_t rows = std::min(panel_columns, out() - i * panel_columns);
    for (int64_t k = 0; k < p.quads; ++k) {
      const int64_t column = 4 * (p.index != nullptr ? p.index[k] : k), bytes = std::min<int64_t>(4, in_ - column);
      for (int64_t r = 0; r < rows; ++r)
        std::memcpy(q.data<int8_t>() + (i * panel_columns + r) * in_ + column, p.values + k * panel_columns + r,
                    static_cast<size_t>(bytes));
    }
  });
  return q;
}

double QuantizedWeight::work_left() const {
  const int64_t all = std::ssize(contents_) * kernels::quads_of(in_);
  return static_cast<double>(packed_.index.size()) / static_cast<double>(std::max<int64_t>(1, all));
}

namespace {

template <class X>
kernels::GridRow row_grid(int64_t n, const X* x) {
  float least = 0, most = 0;
  kernels::range(n, x, least, most);
  return affine_row(least, most, 8);
}

}  // namespace

kernels::GridRow dynamic_row(int64_t n, const float* x) { return row_grid(n, x); }
kernels::GridRow dynamic_row(int64_t n, const Bf16* x) { return row_grid(n, x); }

QuantGrid dynamic_grid(const Tensor& x) {
  QuantGrid grid{Tensor({x.rows()}), Tensor({x.rows()}, DType::i32), 0, 255};
  parallel_rows(x.rows(), row_grain(x.cols()), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const kernels::GridRow row = x.dtype() == DType::bf16 ? dynamic_row(x.cols(), x.data<Bf16>() + r * x.cols())
                                                            : dynamic_row(x.cols(), x.data<float>() + r * x.cols());
      grid.scale.data<float>()[r] = row.scale;
      grid.zero_point.data<int32_t>()[r] = row.zero_point;
    }
  });
  return grid;
}

}  // namespace espalier
