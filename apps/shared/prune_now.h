// SPDX-License-Identifier: Apache-2.0
// Pruning a model at once, without training: what prune does for --amount and --shrink. Each returns what was done, in
// a line for people.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/shared/calibration.h"
#include "apps/shared/prune_flags.h"
#include "data/models/model_source.h"

namespace espalier {

// The pruner's choice, put into the values; layers are cut out. The model's options note it behind earlier prunings.
// Throws for an int8 model.
std::string prune_now(const PruneFlags& flags, const CalibrationFlags& calibration, const CommonOptions& common,
                      std::unique_ptr<Model>& model, nlohmann::json& figures);

// Cuts out heads and neurons that are zero as a whole; says so where there are none.
std::string shrink_now(std::unique_ptr<Model>& model);

}  // namespace espalier
