// SPDX-License-Identifier: Apache-2.0
// Sums of the gradients of one parameter, and the same as bytes between ranks. Used by GradientSum and
// GradientExchange.
#pragma once

#include <cstddef>
#include <vector>

#include "core/tape.h"

namespace espalier {

// right = left + right. A gradient that is not written counts for nothing.
void add_gradient(const LeafGrad& left, LeafGrad& right);

// Rounds what is stored to bf16, to nearest even.
void round_to_bf16(LeafGrad& gradient);
void round_to_bf16(std::span<float> values);

// A gradient that is small: all of it, or the rows that are stored.
struct GradientPart {
  enum Kind : uint8_t { none, whole, by_rows } kind = none;
  std::vector<int32_t> rows;  // ascending
  std::vector<float> values;
};
GradientPart part_of(const LeafGrad& gradient);
void put(const GradientPart& part, LeafGrad& gradient);
GradientPart sum(GradientPart left, GradientPart right, DType dtype);  // rounded if dtype is bf16

void write(const GradientPart& part, DType dtype, std::string& bytes);
GradientPart read_part(std::string_view& bytes, DType dtype);  // takes it from the front

}  // namespace espalier
