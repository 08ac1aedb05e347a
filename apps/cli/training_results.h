// SPDX-License-Identifier: Apache-2.0
// What a training program says at its end: of a run, of runs with several seeds, of a dry run. For people a table in
// Markdown, for machines (--json) an object on a line.
#pragma once

#include <vector>

#include "apps/cli/program.h"
#include "apps/training/run.h"

namespace espalier {

void print_result(const TrainResult& result, const CommonOptions& common);
void print_forecast(const Forecast& forecast, const Options& rows, int64_t runs, const CommonOptions& common);

struct SeedResult {
  uint64_t seed;
  TrainResult result;
};
// Mean and sample standard deviation (with N - 1) of each metric, and which output is the best.
void print_summary(const std::vector<SeedResult>& runs, const CommonOptions& common);

}  // namespace espalier
