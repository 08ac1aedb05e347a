// SPDX-License-Identifier: Apache-2.0
// Workspace: the buffers of a forward pass of one group of sentences. They are made once and grow to the longest group.
// Owned by Engine; each group that is computed has one of its own.
#pragma once

#include <array>
#include <cstdint>

#include "core/tensor.h"

namespace espalier {

// A matrix in a buffer: f32, bf16, or integers as u8 with their grids.
struct Rows {
  DType type = DType::f32;
  int64_t rows = 0, cols = 0, stride = 0;  // elements from row to row: 64 bytes or a multiple of it
  std::byte* data = nullptr;
  // Of integers: one grid for each row, or one for all. low and high are the same for all.
  float* scales = nullptr;
  int32_t* zero_points = nullptr;
  bool by_row = false;
  int32_t low = 0, high = 255;

  template <class T>
  T* at(int64_t row, int64_t column = 0) const {
    return reinterpret_cast<T*>(data) + row * stride + column;
  }
};

class Workspace {
 public:
  enum Buffer { hidden, input, qkv, attended, chosen, residual, result, middle, wide, buffers };

  // The buffer as a matrix; what it held before is lost.
  Rows rows(Buffer buffer, int64_t rows, int64_t cols, DType type);

 private:
  struct Parts {
    Tensor data, scales, zero_points;
  };
  std::array<Parts, buffers> parts_;
};

}  // namespace espalier
