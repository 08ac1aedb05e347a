// SPDX-License-Identifier: Apache-2.0
// PackedLinear: linear layers that read the same input, such as query, key and value, for inference without tape. It
// holds their weights in the order in which products read them, and writes y = x w^T + b, the activation and the next
// layer's integers in one pass over the results.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "core/activation.h"
#include "core/kernels/fake_quant.h"
#include "nn/engine/weights.h"
#include "nn/engine/workspace.h"

namespace espalier {

class PackedLinear {
 public:
  // Integers, all on the same grid of the input, or none of them; `compute` is of those.
  PackedLinear(const std::vector<LinearWeights>& layers, DType compute);

  int64_t in() const { return in_; }
  int64_t out() const { return out_; }
  DType reads() const { return reads_; }    // u8 for int8 weights, else what products are computed in
  DType writes() const { return writes_; }  // the type of y where nothing else is said: bf16 if it reads bf16, else f32
  // The grid of the whole input, as bytes from 0 on; none: each row has its own, or the input is no integers.
  const std::optional<kernels::GridRow>& grid() const { return grid_; }

  // Rows begin … end of x, f32 or bf16, as this reads them. Throws for a NaN or an infinity where a row gets a grid.
  void convert(const Rows& x, int64_t begin, int64_t end, const Rows& to) const;
  // Where x has the type that this reads, x itself; else all of its rows in `buffer`.
  Rows converted(const Rows& x, Workspace& space, Workspace::Buffer buffer) const;
  // A matrix for the input, to be filled by convert() or by multiply() of the layer before.
  Rows input(int64_t rows, Workspace& space, Workspace::Buffer buffer) const;

  // y[rows, out] = then(x w^T + b), f32 or bf16; or, if this reads integers, as integers on the one grid of y.
  void multiply(const Rows& x, const Rows& y, Activation then = Activation::none) const;

 private:
  struct Panel {  // 32 outputs of one layer
    size_t layer = 0;
    int64_t index = 0, column = 0;  // of the layer's panels; first column of y
  };
  void multiply(const Panel& panel, const Rows& x, const Rows& y, Activation then) const;

  int64_t in_, out_ = 0;
  DType reads_, writes_;
  std::optional<kernels::GridRow> grid_;
  std::vector<WeightForm> weights_;
  std::vector<Tensor> biases_;
  std::vector<Panel> panels_;
};

}  // namespace espalier
