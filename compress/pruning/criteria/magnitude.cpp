// SPDX-License-Identifier: Apache-2.0
// score = |w|
#include <cmath>

#include "compress/pruning/criteria/criterion.h"
#include "core/parallel.h"

namespace espalier {
namespace {

struct Magnitude : Criterion {
  std::string describe() const override { return "magnitude |w|"; }
  bool reads_gradients() const override { return false; }
  Tensor scores(const Parameter& p) const override {
    Tensor s(p.shape);
    parallel_rows(s.size(), 16384, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) s.data<float>()[i] = std::abs(p.value.data<float>()[i]);
    });
    return s;
  }
};

}  // namespace

std::unique_ptr<Criterion> magnitude_criterion() { return std::make_unique<Magnitude>(); }

}  // namespace espalier
