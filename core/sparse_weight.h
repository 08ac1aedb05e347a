// SPDX-License-Identifier: Apache-2.0
// SparseWeight: the values of a pruned weight w[out, in] that are left, in the order in which products without a tape
// read them. It leaves out steps of 32 outputs at one input (in bf16: at two inputs, with AMX at 32) that are zero as a
// whole, as in pruned blocks of 32 x 32. Owned by a Parameter of a model whose training is over.
#pragma once

#include <memory>
#include <vector>

#include "core/kernels/panel.h"
#include "core/tensor.h"

namespace espalier {

class SparseWeight {
 public:
  // Of w[out, in] f32, for products in f32 or bf16.
  SparseWeight(const Tensor& w, DType compute);

  // The same, or null where a dense product would be as fast.
  static std::shared_ptr<const SparseWeight> where_faster(const Tensor& w, DType compute);

  // Share of a dense product's steps that are left, 1 where a dense product would be as fast.
  static double work_left(const Tensor& w, DType compute);

  int64_t out() const { return out_; }
  DType compute() const { return compute_; }
  const kernels::Panel* panels() const { return panels_.data(); }

 private:
  int64_t out_;
  DType compute_;
  std::vector<std::vector<kernels::Run>> runs_;  // of each panel
  Tensor values_;
  std::vector<kernels::Panel> panels_;
};

}  // namespace espalier
