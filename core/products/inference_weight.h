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

  // Rows of x and where their results go.
  struct Rows {
    int64_t rows = 0;
    const std::byte* x = nullptr;  // of the type `compute`; in bf16 the stride is even, and what is behind x[in] zero
    int64_t stride = 0;
    float* y = nullptr;  // in f32 or, if y16 is set, in bf16: the first of the outputs
    Bf16* y16 = nullptr;
    int64_t ldy = 0;
  };
  // Outputs 32 i … of x w^T + bias, on this thread; bias[out].
  void multiply(int64_t i, const float* bias, const Rows& rows) const noexcept;

  int64_t out() const { return out_; }

 private:
  DType compute_;
  int64_t out_, all_, group_;    // all steps of a panel; those of a group are neighbours
  std::vector<int64_t> firsts_;  // first step of each panel, then the number of all
  std::vector<int32_t> index_;   // of each step: its input, or pair of inputs
  Tensor values_;                // [steps, 32]: f32, or pairs of bf16
};

}  // namespace espalier
