// SPDX-License-Identifier: Apache-2.0
// y[T, out] = x[T, in] w[out, in]^T + b[out];  gx = gy w,  gw = gy^T x,  gb = column sums of gy.
// `whole` computes in f32 or f64, `mixed` with bf16 operands and f32 sums. With int8 weights y is linear_int8's, and
// the gradient is that of the real numbers that the integers stand for (the straight-through estimator).
#include <algorithm>

#include "core/kernels/elementwise.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/products/gemm.h"

namespace espalier::ops {
namespace {

// The parts of one op, as the backward pass needs them.
struct Parts {
  int64_t rows = 0, in = 0, width = 0;  // x[rows, in], y[rows, width]
  std::vector<int64_t> firsts;          // first column of each part in y
  std::vector<Tensor> weights;
  std::vector<const Var*> inputs;  // x, then w and b of each part

  size_t size() const { return firsts.size(); }
};

// What makes a part's product where no gradient will be wanted; null: there is nothing, or one will.
const InferenceWeight* inference(const Parts& p, const Affine& part) {
  return std::ranges::any_of(p.inputs, [](const Var* v) { return v->tape != nullptr; }) ? nullptr
                                                                                        : part.inference.get();
}

Parts check(const Var& x, std::span<const Affine> parts) {
  CHECK(!parts.empty() && x.shape().rank() == 2, "linear: x", x.shape(),
        " is expected to be [T, in], with at least one weight");
  Parts p;
  p.rows = x.value.rows();
  p.in = x.value.cols();
  p.inputs = {&x};
  for (const Affine& part : parts) {
    const Shape w = part.w.shape();
    CHECK(w.rank() == 2 && w[1] == p.in, "linear: x", x.shape(), " and w", w, " differ in their last dimension");
    CHECK(part.b.shape() == Shape{w[0]}, "linear: w", w, " needs a bias of shape ", Shape{w[0]}, ", not ",
          part.b.shape());
    p.inputs.push_back(&part.w);
    p.inputs.push_back(&part.b);
    p.weights.push_back(part.w.value);
    p.firsts.push_back(p.width);
    p.width += w[0];
  }
  return p;
}

// gb of each part from gy[rows, width].
template <class G, class T>
void bias_gradients(const Tensor& gy, const Parts& p, Tape::Slots& slots) {
  for (size_t i = 0; i < p.size(); ++i) {
    auto gb = slots[2 + 2 * i];
    if (!gb) continue;
    const G* const g = gy.data<G>() + p.firsts[i];
    T* const to = gb.to.data<T>();
    parallel_rows(gb.to.size(), 64, [&](int64_t begin, int64_t end) {
      kernels::column_sums(p.rows, end - begin, p.width, g + begin, gb.accumulate, to + begin);
    });
  }
}

// Appends a product of a weight gradient. A weight that is given twice has one gradient: products that write it must
// not run at once, so those before are run first.
template <class Product>
void append(std::vector<Product>& products, const Product& next) {
  const auto overlaps = [&](const Product& p) {
    return p.c < next.c + next.m * next.ldc && next.c < p.c + p.m * p.ldc;
  };
  if (std::any_of(products.begin(), products.end(), overlaps)) {
    gemm(std::span<const Product>(products));
    products.clear();
  }
  products.push_back(next);
}

// y is computed here unless it is given.
template <class T>
Var whole(const Var& x, std::span<const Affine> parts, const Tensor& given = {}) {
  const Parts p = check(x, parts);
  const Tensor y = given ? given : Tensor({p.rows, p.width}, x.dtype());
  std::vector<Gemm<T>> products;
  for (size_t i = 0; i < p.size() && !given; ++i)
    if (const InferenceWeight* w = inference(p, parts[i]))
      w->multiply(x.value, parts[i].b.value, y, p.firsts[i]);
    else
      products.push_back({.m = p.rows,
                          .n = p.weights[i].rows(),
                          .k = p.in,
                          .a = x.value.data<T>(),
                          .lda = p.in,
                          .b = p.weights[i].data<T>(),
                          .ldb = p.in,
                          .transpose_b = true,
                          .c = y.data<T>() + p.firsts[i],
                          .ldc = p.width,
                          .bias = parts[i].b.value.template data<T>()});
  gemm(std::span<const Gemm<T>>(products));

  return Tape::record("linear", y, p.inputs, [x = x.value, p](const Tensor& gy, Tape::Slots& slots) {
    const T* const g = gy.data<T>();
    if (auto gx = slots[0])
      for (size_t i = 0; i < p.size(); ++i) {
        const Gemm<T> product = {.m = p.rows,
                                 .n = p.in,
                                 .k = p.weights[i].rows(),
                                 .a = g + p.firsts[i],
                                 .lda = p.width,
                                 .b = p.weights[i].data<T>(),
                                 .ldb = p.in,
                                 .c = gx.to.data<T>(),
                                 .ldc = p.in,
                                 .accumulate = gx.accumulate || i > 0};
        gemm(std::span<const Gemm<T>>(&product, 1));
      }
    std::vector<Gemm<T>> weight_gradients;
    for (size_t i = 0; i < p.size(); ++i)
      if (auto gw = slots[1 + 2 * i])
        append(weight_gradients, Gemm<T>{.m = p.weights[i].rows(),
                                         .n = p.in,
                                         .k = p.rows,
                                         .a = g + p.firsts[i],
                                         .lda = p.width,
                                         .transpose_a = true,
                                         .b = x.data<T>(),
                                         .ldb = p.in,
                                         .c = gw.to.data<T>(),
                                         .ldc = p.in,
                                         .accumulate = gw.accumulate});
    gemm(std::span<const Gemm<T>>(weight_gradients));
    bias_gradients<T, T>(gy, p, slots);
  });
}

// ---- mixed precision
// --------------------------------------------------------------------------------------------------

using kernels::Bf16Product;
using PackedParts = std::vector<std::shared_ptr<const PackedWeight>>;

const uint32_t* pairs(const Tensor& x, int64_t first_column = 0) {
  return reinterpret_cast<const uint32_t*>(x.raw()) + first_column / 2;
}

// Lets the product write to y from element `first` on, in y's type.
void set_result(Bf16Product& product, const Tensor& y, int64_t first) {
  if (y.dtype() == DType::bf16)
    product.c16 = y.data<Bf16>() + first;
  else
    product.c = y.data<float>() + first;
}

// Columns first … first + n of x[T, *]; a copy.
Tensor columns(const Tensor& x, int64_t first, int64_t n) {
  Tensor y({x.rows(), n}, DType::bf16);
  for (int64_t r = 0; r < x.rows(); ++r) std::copy_n(x.data<Bf16>() + r * x.cols() + first, n, y.data<Bf16>() + r * n);
  return y;
}

// gx[rows, in] (+)= gy w, part by part; a part whose pairs would straddle its neighbour's is copied out.
void input_gradient(const Tensor& gy, const Parts& p, const PackedParts& packed, const GradSlot& gx) {
  for (size_t i = 0; i < p.size(); ++i) {
    const int64_t out = packed[i]->out();
    const bool aligned = p.firsts[i] % 2 == 0 && p.width % 2 == 0 && out % 2 == 0;
    const Tensor own = aligned ? gy : as_pairs(columns(gy, p.firsts[i], out));
    Bf16Product product = {.m = p.rows,
                           .n = p.in,
                           .pairs = kernels::pairs_of(out),
                           .a = pairs(own, aligned ? p.firsts[i] : 0),
                           .a_row = own.cols() / 2,
                           .b = packed[i]->backward(),
                           .ldc = p.in,
                           .accumulate = gx.accumulate || i > 0};
    set_result(product, gx.to, 0);
    gemm(std::span<const Bf16Product>(&product, 1));
  }
}

// gw[out, in] (+)= gy^T x: both operands are packed along T; a panel of 32 columns of gy gives 32 rows of gw.
void weight_gradients(const Tensor& gy, const Tensor& x, const Parts& p, Tape::Slots& slots) {
  Tensor packed_x, packed_g;
  const int64_t row_pairs = kernels::pairs_of(p.rows);
  std::vector<Bf16Product> products;
  for (size_t i = 0; i < p.size(); ++i) {
    auto gw = slots[1 + 2 * i];
    if (!gw) continue;
    if (!packed_x) packed_x = pack_activation(x);
    if (!packed_g) packed_g = pack_activation(gy);
    for (int64_t row = 0; row < p.weights[i].rows();) {
      const int64_t column = p.firsts[i] + row, in_panel = column % kernels::panel_columns;
      const int64_t count = std::min(kernels::panel_columns - in_panel, p.weights[i].rows() - row);
      append(products, Bf16Product{.m = count,
                                   .n = p.in,
                                   .pairs = row_pairs,
                                   .a = pairs(packed_g) + (column - in_panel) * row_pairs + in_panel,
                                   .a_row = 1,
                                   .a_pair = kernels::panel_columns,
                                   .b = pairs(packed_x),
                                   .c = gw.to.data<float>() + row * p.in,
                                   .ldc = p.in,
                                   .accumulate = gw.accumulate});
      row += count;
    }
  }
  gemm(std::span<const Bf16Product>(products));
}

Var mixed(const Var& x, std::span<const Affine> parts, DType result, const Tensor& given = {}) {
  const Parts p = check(x, parts);
  PackedParts packed;
  for (const Affine& part : parts) {
    packed.push_back(part.packed);
    if (packed.back() || inference(p, part) != nullptr) continue;
    const auto own = std::make_shared<PackedWeight>(part.w.value.rows(), p.in);
    own->pack(part.w.value.data<float>(), !given);
    packed.back() = own;
  }
  const Tensor rounded = as_pairs(x.value);
  const Tensor y = given ? given : Tensor({p.rows, p.width}, result);
  std::vector<Bf16Product> products;
  for (size_t i = 0; i < p.size() && !given; ++i) {
    if (const InferenceWeight* w = inference(p, parts[i])) {
      w->multiply(rounded, parts[i].b.value, y, p.firsts[i]);
      continue;
    }
    Bf16Product product = {.m = p.rows,
                           .n = packed[i]->out(),
                           .pairs = kernels::pairs_of(p.in),
                           .a = pairs(rounded),
                           .a_row = rounded.cols() / 2,
                           .b = packed[i]->forward(),
                           .ldc = p.width,
                           .bias = parts[i].b.value.data<float>()};
    set_result(product, y, p.firsts[i]);
    products.push_back(product);
  }
  gemm(std::span<const Bf16Product>(products));

  const Tensor kept = rounded.cols() == p.in ? rounded : x.value;
  return Tape::record("linear", y, p.inputs, [kept, packed, p](const Tensor& gy, Tape::Slots& slots) {
    if (auto gx = slots[0]) input_gradient(gy.dtype() == DType::bf16 ? gy : gy.to(DType::bf16), p, packed, gx);
    weight_gradients(gy, kept, p, slots);
    if (gy.dtype() == DType::bf16)
      bias_gradients<Bf16, float>(gy, p, slots);
    else
      bias_gradients<float, float>(gy, p, slots);
  });
}

Var integers(const Var& x, std::span<const Affine> parts, DType compute) {
  const Tensor y = linear_int8({x.value}, parts).value;
  const auto taped = [](const Var& v) { return v.tape != nullptr; };
  if (!taped(x) && std::none_of(parts.begin(), parts.end(), [&](const Affine& a) { return taped(a.w) || taped(a.b); }))
    return {y};
  const auto& grid = parts.front().quantized->input();
  const Var on_grid = fake_quant(x, grid ? *grid : dynamic_grid(x.value));
  return compute == DType::bf16 ? mixed(on_grid, parts, DType::f32, y) : whole<float>(on_grid, parts, y);
}

}  // namespace

Var linear(const Var& x, std::span<const Affine> parts, DType compute, DType result) {
  if (!parts.empty() && parts.front().quantized != nullptr) return integers(x, parts, compute);
  if (compute == DType::bf16) return mixed(x, parts, result);
  return dispatch_real("linear", x.dtype(), [&](auto zero) { return whole<decltype(zero)>(x, parts); });
}

Var linear(const Var& x, const Affine& part, DType compute, DType result) {
  return linear(x, std::span<const Affine>(&part, 1), compute, result);
}
Var linear(const Var& x, const Var& w, const Var& b) { return linear(x, Affine{w, b}); }

}  // namespace espalier::ops
