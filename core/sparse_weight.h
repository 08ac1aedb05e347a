// SPDX-License-Identifier: Apache-2.0
// SparseWeight: what is left of a pruned weight w[out, in], for products without gradients. Steps of 32 outputs at one
// input (in bf16: at two) are left out where they are zero as a whole, as in pruned blocks of 32 x 32. Owned by a
// Parameter of a model whose training is over.
#pragma once

#include <memory>
#include <vector>

#include "core/tensor.h"

namespace espalier {

class SparseWeight {
 public:
  SparseWeight(const Tensor& w, DType compute);  // w f32, for products in f32 or bf16

  // Share of a dense product's steps that are left, and whether leaving out the others is worth it.
  static double work_left(const Tensor& w, DType compute);
  static bool pays(double work_left) { return work_left <= 0.9; }
  // Null where a dense product is as fast.
  static std::shared_ptr<const SparseWeight> where_faster(const Tensor& w, DType compute);

  // Columns `first` … of y[T, *] = x w^T + bias. x[T, in] is of the type `compute`, in bf16 as from as_pairs; y is f32,
  // or with bf16 either. In bf16 the bits are those of the dense product, as long as x is finite.
  void multiply(const Tensor& x, const Tensor& bias, const Tensor& y, int64_t first) const;

 private:
  DType compute_;
  int64_t out_;
  std::vector<int64_t> firsts_;  // first step of each panel, then the number of all
  std::vector<int32_t> index_;   // of each step: its input, or pair of inputs
  Tensor values_;                // [steps, 32]: f32, or pairs of bf16
};

}  // namespace espalier
