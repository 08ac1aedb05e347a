// SPDX-License-Identifier: Apache-2.0
// DeferredRows: AdamW over a large table of which a step touches few rows. A row without gradient still changes, by its
// moments and by decay; these updates are made up for when the row is read next, with the same bits and without passing
// over the whole table each step. Used by AdamW.
#pragma once

#include <span>
#include <vector>

#include "core/kernels/adamw.h"
#include "nn/parameter.h"

namespace espalier {

class DeferredRows {
 public:
  // Moments m and v [n] are laid out as the store's values. Sets table.settle.
  DeferredRows(Parameter& table, float* m, float* v);
  ~DeferredRows();
  DeferredRows(const DeferredRows&) = delete;
  DeferredRows& operator=(const DeferredRows&) = delete;

  // One step: rows with a gradient are updated now, the others later. The gradient must be by rows.
  void step(const kernels::AdamWStep& step);
  void settle(std::span<const int32_t> rows);  // all if none are named

 private:
  void settle_row(int64_t row);

  Parameter& table_;
  float *m_, *v_;                            // of the table's first element
  std::vector<kernels::AdamWStep> pending_;  // steps that some row has not seen
  std::vector<uint32_t> seen_;               // [rows] how many of pending_ a row has seen
};

}  // namespace espalier
