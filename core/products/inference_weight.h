// SPDX-License-Identifier: Apache-2.0
// InferenceWeight: a weight w[out, in] in the order in which products without gradients read it, panel by panel of 32
// outputs. Steps of a panel at one input (in bf16: at two, on AMX at 32) are left out where they are zero as a whole,
// as in pruned blocks of 32 x 32. Owned by a Linear of a model whose training is over.
#pragma once

#include <memory>
#include <vector>

#include "core/tensor.h"

namespace espalier {

class InferenceWeight {
 public:
  InferenceWeight(const Tensor& w, DType compute);  // w f32, for products in f32 or bf16

  // Share of the steps that are left.
  static double work_left(const Tensor& w, DType compute);

  // Columns `first` … of y[T, *] = x w^T + bias. x[T, in] is of the type `compute`, in bf16 as from as_pairs; y is f32,
  // or with bf16 either. In bf16 the bits are those of the dense product, as long as x is finite.
  void multiply(const Tensor& x, const Tensor& bias, const Tensor& y, int64_t first) const;

 private:
  DType compute_;
  int64_t out_, group_;          // steps of a group are neighbours
  std::vector<int64_t> firsts_;  // first step of each panel, then the number of all
  std::vector<int32_t> index_;   // of each step: its input, or pair of inputs
  Tensor values_;                // [steps, 32]: f32, or pairs of bf16
};

}  // namespace espalier
