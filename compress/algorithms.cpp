// SPDX-License-Identifier: Apache-2.0
#include "compress/algorithms.h"

#include "compress/distillation/distillation.h"
#include "compress/pruning/pruning.h"
#include "compress/quantization/quantization.h"

namespace espalier {

std::vector<Algorithm> algorithms() { return {pruning(), quantization(), distillation()}; }

}  // namespace espalier
