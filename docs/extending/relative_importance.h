// SPDX-License-Identifier: Apache-2.0
// Relative importance (Zhang et al., ICLR 2024): a weight's share of its row plus its share of its column. No output
// and no input of a layer is left without weights only because all of them are small.
#pragma once

#include <cfloat>
#include <cmath>
#include <vector>

#include "compress/pruning/criteria/criterion.h"

namespace lab {

struct RelativeImportance : espalier::Criterion {
  std::string describe() const override { return "relative importance"; }

  espalier::Tensor scores(const espalier::Parameter& p) const override {
    const int64_t cols = p.shape.cols();
    std::vector<float> row(static_cast<size_t>(p.shape.size() / cols), FLT_MIN),
        col(static_cast<size_t>(cols), FLT_MIN);
    const auto w = p.value.span<float>();
    for (size_t i = 0; i < w.size(); ++i) row[i / col.size()] += std::abs(w[i]), col[i % col.size()] += std::abs(w[i]);
    espalier::Tensor s(p.shape);
    for (size_t i = 0; i < w.size(); ++i)
      s.span<float>()[i] = std::abs(w[i]) / row[i / col.size()] + std::abs(w[i]) / col[i % col.size()];
    return s;
  }
};

inline espalier::CriterionRow relative_importance() {
  return {"relative", "its share of its row and column",
          [](uint64_t) { return std::make_unique<RelativeImportance>(); }};
}

}  // namespace lab
