// SPDX-License-Identifier: Apache-2.0
// The measurements behind `report`.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/cli/program.h"
#include "apps/inference/max_length.h"
#include "apps/reporting/figures.h"
#include "core/products/precision.h"

namespace espalier {

struct MeasureOptions {
  std::string data;  // TSV file
  Precision precision = Precision::f32;
  int64_t batch_size = 32;
  MaxLength max_length;
  int rounds = 3;
};

// Opens the model, answers all sentences `rounds` times at the batch size and one by one, starts `predict` as often,
// and looks at the weights. `step` is called after each round. Throws as open_model and read_text do.
ModelFigures measure(const std::string& source, const std::string& name, const MeasureOptions& options,
                     const CommonOptions& common, const std::function<void()>& step);

// For each model the shortest ending of its path that no other one has, without ".h5": "dense", "seed1/int8". One that
// is there twice gets a number.
std::vector<std::string> short_names(const std::vector<std::string>& sources);

}  // namespace espalier
