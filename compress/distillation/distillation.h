// SPDX-License-Identifier: Apache-2.0
// Distillation as an algorithm of training: --distill.*, and all of distill.
#pragma once

#include <memory>

#include "compress/algorithm.h"
#include "compress/distillation/distill_options.h"

namespace espalier {

// Its options are these, where a program needs to know them too.
Algorithm distillation(const std::shared_ptr<DistillationOptions>& options = std::make_shared<DistillationOptions>());

}  // namespace espalier
