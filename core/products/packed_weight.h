// SPDX-License-Identifier: Apache-2.0
// PackedWeight: a bf16 copy of a weight w[out, in] in the two orders in which a linear layer's products read it. Owned
// by a Linear and refreshed by the optimizer's pass, or made on the fly for a transformed weight.
#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace espalier {

class PackedWeight {
 public:
  PackedWeight(int64_t out, int64_t in);

  static constexpr int64_t rows_at_once = 32;

  // Rows begin … end of w, whose first element is w[0, 0]; begin must be a multiple of rows_at_once, end too unless it
  // is `out`.
  // Serial; disjoint ranges may run at once.
  void pack_rows(const float* w, int64_t begin, int64_t end, bool forward = true);
  void pack(const float* w, bool forward = true);  // all rows, in parallel; false: only what gradients read

  int64_t out() const { return out_; }
  int64_t in() const { return in_; }
  const uint32_t* forward() const {
    return reinterpret_cast<const uint32_t*>(forward_.raw());
  }  // B = w^T: `out` columns, pairs along `in`
  const uint32_t* backward() const {
    return reinterpret_cast<const uint32_t*>(backward_.raw());
  }  // B = w: `in` columns, pairs along `out`

 private:
  int64_t out_, in_;
  Tensor forward_, backward_;
};

// The same for an activation x[T, n] whose rows are contracted (a weight gradient's operands): panels of 32 columns,
// pairs along T. f32 or bf16.
Tensor pack_activation(const Tensor& x);

// x[T, n] in bf16 with an even number of columns, zero-padded; x itself if it is so already. Rows of it are rows of
// pairs.
Tensor as_pairs(const Tensor& x);

}  // namespace espalier
