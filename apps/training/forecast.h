// SPDX-License-Identifier: Apache-2.0
// Forecast: what a run would be like, as --dry-run finds out.
#pragma once

#include <cstdint>
#include <vector>

#include "core/record.h"
#include "optim/parameter_groups.h"

namespace espalier {

struct Forecast {
  std::vector<ParameterGroup> groups;
  double learning_rate = 0, weight_decay = 0;  // of the groups
  int64_t train_sentences = 0, train_tokens = 0, dev_sentences = 0, dev_tokens = 0;
  int64_t steps = 0, evaluations = 0;  // with --patience, the most
  double start_seconds = 0;            // until the first step
  double step_seconds = 0;             // a step, on average
  double evaluation_seconds = 0;       // an evaluation

  // Of a whole run, without the time to write files.
  double seconds() const {
    return start_seconds + step_seconds * static_cast<double>(steps) +
           evaluation_seconds * static_cast<double>(evaluations);
  }
};

}  // namespace espalier
