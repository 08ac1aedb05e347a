// SPDX-License-Identifier: Apache-2.0
// QuantizedWeights: what a model has in integers, as checkpoints keep it. Used by data/checkpoint and
// compress/quantizer.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/products/quantized_weight.h"

namespace espalier {

// By the parameter's name: weights of linear layers, with the grids of their inputs, and embedding tables.
using QuantizedWeights = std::map<std::string, std::shared_ptr<const QuantizedWeight>>;

}  // namespace espalier
