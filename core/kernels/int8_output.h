// SPDX-License-Identifier: Apache-2.0
// What follows a product of integers, while its sums are in the cache: real numbers, the bias, the activation, and the
// integers
// that the next product reads.
#pragma once

#include <cstdint>

#include "core/activation.h"
#include "core/kernels/fake_quant.h"

namespace espalier::kernels {

// y = (sum - zero_point * weight_sum) * (x_scale * scale) + bias, then the activation. Written as f32 or, if
// `bytes` is set, as integers on `grid`.
struct Int8Output {
  int64_t rows = 0, columns = 0;
  const int32_t* sums = nullptr;  // [rows, columns]
  int64_t ld_sums = 0;
  // Of the rows of x: each its own, or all the first one.
  const int32_t* zero_points = nullptr;
  const float* x_scales = nullptr;
  bool by_row = false;
  // Of the columns.
  const int32_t* weight_sums = nullptr;
  const float* scales = nullptr;
  const float* bias = nullptr;

  Activation then = Activation::none;
  float* y = nullptr;
  uint8_t* bytes = nullptr;
  GridRow grid = {};
  int64_t ldy = 0;  // of y or bytes
};
void write_int8_output(const Int8Output& output) noexcept;

}  // namespace espalier::kernels
