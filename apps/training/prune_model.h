// SPDX-License-Identifier: Apache-2.0
// Pruning a model at once, without training: what prune does for --amount and --shrink. Each returns what was done, in
// lines for people.
#pragma once

#include <memory>
#include <string>

#include "apps/training/calibrate.h"
#include "compress/pruning/prune_options.h"
#include "data/models/model_source.h"

namespace espalier {

// The pruner's choice, put into the values; layers are cut out. `how`, the options, is kept behind those of earlier
// prunings in the model's own. Throws for an int8 model.
std::string prune_model(const PruneOptions& options, const Record& how, const CalibrationOptions& calibration,
                        const Listener& listener, std::unique_ptr<Model>& model, Record& figures);

// Cuts out heads and neurons that are zero as a whole; says so where there are none.
std::string shrink_model(std::unique_ptr<Model>& model);

}  // namespace espalier
