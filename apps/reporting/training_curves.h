// SPDX-License-Identifier: Apache-2.0
// Reads what a training wrote to its --log-dir.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/reporting/figures.h"

namespace espalier {

// The file metrics.jsonl of a run: its loss, as means over equal parts of the run, and the loss of its evaluations. A
// last line that was cut off does not count. Throws Error with path and line for a file of another kind.
TrainingCurves read_training_curves(const std::filesystem::path& file, const std::string& name);

// Of the runs in `folders`, and of the models' own, whose --log-dir was the model's path without ".h5"; these have the
// models' `names`.
std::vector<TrainingCurves> curves_of(const std::vector<std::string>& folders, const std::vector<std::string>& models,
                                      const std::vector<std::string>& names);

}  // namespace espalier
