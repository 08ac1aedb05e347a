// SPDX-License-Identifier: Apache-2.0
// The order in which products read their second operand B[k, n]: panels of 32 columns, step by step along k. Shared by
// the kernels of packed and of sparse products.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::kernels {

constexpr int64_t panel_columns = 32;
constexpr int64_t panels_of(int64_t n) { return (n + panel_columns - 1) / panel_columns; }

struct Run {
  int32_t begin = 0, end = 0;  // steps
};

// A panel without steps that are zero in all 32 columns: values[32] of each step of each run, one after the other. A
// value is the float of one k, or a pair of bf16.
struct Panel {
  const uint32_t* values = nullptr;  // at a multiple of 64 bytes
  std::span<const Run> runs = {};    // ascending, apart
};

}  // namespace espalier::kernels
