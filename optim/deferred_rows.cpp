// SPDX-License-Identifier: Apache-2.0
#include "optim/deferred_rows.h"

#include <algorithm>

#include "core/parallel.h"
#include "core/profile.h"

namespace espalier {

DeferredRows::DeferredRows(Parameter& table, float* m, float* v)
    : table_(table), m_(m), v_(v), seen_(static_cast<size_t>(table.shape[0])) {
  table.settle = [this](std::span<const int32_t> rows) { settle(rows); };
}

DeferredRows::~DeferredRows() {
  settle({});
  table_.settle = nullptr;
}

void DeferredRows::settle_row(int64_t row) {
  uint32_t& seen = seen_[static_cast<size_t>(row)];
  if (seen == pending_.size()) return;
  const int64_t cols = table_.shape[1], at = row * cols;
  kernels::adamw_replay(pending_.data() + seen, static_cast<int64_t>(pending_.size()) - seen, cols,
                        table_.value.data<float>() + at, m_ + at, v_ + at);
  seen = static_cast<uint32_t>(pending_.size());
}

void DeferredRows::settle(std::span<const int32_t> rows) {
  if (pending_.empty()) return;
  if (!rows.empty()) {
    std::vector<int32_t> distinct(rows.begin(), rows.end());  // two threads must not settle one row
    std::erase_if(distinct, [&](int32_t row) { return row < 0 || row >= table_.shape[0]; });  // left to who reads them
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    parallel_for(static_cast<int64_t>(distinct.size()),
                 [&](int64_t i) { settle_row(distinct[static_cast<size_t>(i)]); });
    return;
  }
  parallel_rows(table_.shape[0], 16, [&](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row) settle_row(row);
  });
  pending_.clear();
  std::fill(seen_.begin(), seen_.end(), 0U);
}

void DeferredRows::step(const kernels::AdamWStep& step) {
  const auto& rows = table_.grad.rows->list();
  const int64_t cols = table_.shape[1];
  const float* const g = table_.grad.grad.data<float>();
  work_count().bytes += 28 * cols * static_cast<int64_t>(rows.size());
  pending_.push_back(step);
  parallel_for(static_cast<int64_t>(rows.size()), [&](int64_t i) {
    const int64_t row = rows[static_cast<size_t>(i)], at = row * cols;
    uint32_t& seen = seen_[static_cast<size_t>(row)];
    if (seen + 1 < pending_.size())  // nobody read it before its gradient came
      kernels::adamw_replay(pending_.data() + seen, static_cast<int64_t>(pending_.size()) - 1 - seen, cols,
                            table_.value.data<float>() + at, m_ + at, v_ + at);
    kernels::adamw(step, cols, g + at, table_.value.data<float>() + at, m_ + at, v_ + at);
    seen = static_cast<uint32_t>(pending_.size());
  });
}

}  // namespace espalier
