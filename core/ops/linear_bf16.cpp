// SPDX-License-Identifier: Apache-2.0
// The linear op in mixed precision: operands in bf16, sums in f32. y[T, out] = x[T, in] w[out, in]^T + b[out];
// gx = gy w,  gw = gy^T x,  gb = column sums of gy.
#include "core/ops/linear_parts.h"
#include "core/products/packed_weight.h"

namespace espalier::ops {
namespace {

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
void input_gradient(const Tensor& gy, const LinearParts& p, const PackedParts& packed, const GradSlot& gx) {
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
void weight_gradients(const Tensor& gy, const Tensor& x, const LinearParts& p, Tape::Slots& slots) {
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

}  // namespace

Var linear_bf16(const Var& x, std::span<const Affine> parts, DType result, const Tensor& given) {
  const LinearParts p(x, parts);
  PackedParts packed;
  for (const Affine& part : parts) {
    packed.push_back(as<PackedWeight>(part.form));
    if (packed.back() || inference_form(p, part)) continue;
    const auto own = std::make_shared<PackedWeight>(part.w.value.rows(), p.in);
    own->pack(part.w.value.data<float>(), !given);
    packed.back() = own;
  }
  const Tensor rounded = as_pairs(x.value);
  const Tensor y = given ? given : Tensor({p.rows, p.width}, result);
  std::vector<Bf16Product> products;
  for (size_t i = 0; i < p.size() && !given; ++i) {
    if (const auto w = inference_form(p, parts[i])) {
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

}  // namespace espalier::ops
