// SPDX-License-Identifier: Apache-2.0
// What the linear ops of all precisions share: the checked parts of one op and the gradients of biases. Private to
// core/ops/linear*.cpp.
#pragma once

#include <algorithm>
#include <memory>
#include <span>
#include <vector>

#include "core/kernels/elementwise.h"
#include "core/ops.h"
#include "core/parallel.h"
#include "core/products/gemm.h"

namespace espalier::ops {

// The parts of one op, as the backward pass needs them.
struct LinearParts {
  LinearParts(const Var& x, std::span<const Affine> parts);  // throws for shapes that do not fit

  int64_t rows = 0, in = 0, width = 0;  // x[rows, in], y[rows, width]
  std::vector<int64_t> firsts;          // first column of each part in y
  std::vector<Tensor> weights;
  std::vector<const Var*> inputs;  // x, then w and b of each part

  size_t size() const { return firsts.size(); }
};

// One function for each precision: y, and its gradients where an input is on a tape. With `given`, which is y already,
// only the gradients.
template <class T>
Var linear_real(const Var& x, std::span<const Affine> parts, const Tensor& given = {});  // T: float or double
Var linear_bf16(const Var& x, std::span<const Affine> parts, DType result, const Tensor& given = {});
Var linear_integers(const Var& x, std::span<const Affine> parts, DType compute);

// The form that makes a part's product where no gradient will be wanted; null: there is none, or one will be wanted.
std::shared_ptr<const InferenceWeight> inference_form(const LinearParts& p, const Affine& part);

// gb of each part from gy[rows, width], of type G; gb is of type T.
template <class G, class T>
void bias_gradients(const Tensor& gy, const LinearParts& p, Tape::Slots& slots) {
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

}  // namespace espalier::ops
