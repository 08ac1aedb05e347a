// SPDX-License-Identifier: Apache-2.0
// Tensors of normally distributed numbers, for tests of kernels.
#pragma once

#include "core/rng.h"
#include "core/tensor.h"

namespace espalier {

// f32; another stream gives other numbers.
inline Tensor randn(const Shape& shape, uint64_t stream) {
  Tensor t(shape);
  Rng rng(7, stream);
  for (float& v : t.span<float>()) v = static_cast<float>(rng.normal());
  return t;
}

}  // namespace espalier
