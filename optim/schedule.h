// SPDX-License-Identifier: Apache-2.0
// Learning-rate schedules: linear warm-up, then constant, linear decay to zero or half a cosine to zero.
#pragma once

#include <cstdint>

#include "core/choice.h"

namespace espalier {

enum class Decay { linear, constant, cosine };
template <>
struct Names<Decay> {
  static constexpr const char* list[] = {"linear", "constant", "cosine"};
};

struct Schedule {
  Decay kind = Decay::linear;
  double peak = 2e-5;  // learning rate after the warm-up
  int64_t warmup = 0;  // steps
  int64_t total = 1;   // steps

  double rate(int64_t step) const;  // for step 0, 1, … total - 1; as transformers' get_*_schedule_with_warmup
  void check() const;               // throws for numbers out of range
};

}  // namespace espalier
