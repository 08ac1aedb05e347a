// SPDX-License-Identifier: Apache-2.0
#include "optim/ema.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/parallel.h"

namespace espalier {
namespace {

constexpr int64_t average_piece = 1 << 16;  // elements a task

}  // namespace

Ema::Ema(ParameterStore& store, double decay) : store_(store), decay_(decay), average_(store.values().clone()) {
  CHECK(decay > 0 && decay < 1, "ema: a decay of ", decay, "; a number between 0 and 1 is expected");
}

void Ema::update(int64_t step) {
  store_.settle();
  const auto share = static_cast<float>((1 - decay_) / (1 - std::pow(decay_, static_cast<double>(step))));
  const float* const w = store_.values().data<float>();
  float* const a = average_.data<float>();
  parallel_rows(average_.size(), average_piece, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) a[i] += share * (w[i] - a[i]);
  });
}

void Ema::swap() {
  store_.settle();
  float *const w = store_.values().data<float>(), *const a = average_.data<float>();
  parallel_rows(average_.size(), average_piece,
                [&](int64_t begin, int64_t end) { std::swap_ranges(w + begin, w + end, a + begin); });
  for (const Parameter* p : store_.all()) p->updated();
}

}  // namespace espalier
