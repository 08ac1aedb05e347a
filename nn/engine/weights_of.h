// SPDX-License-Identifier: Apache-2.0
// The weights of an Encoder as Engine takes them. Used by Bert and by what writes edge files.
#pragma once

#include <optional>

#include "nn/encoder.h"
#include "nn/engine/weights.h"

namespace espalier {

// Of a layer that Linear::prepare has made ready for inference. Throws where none of the forms without tape is there.
LinearWeights weights_of(const Linear& layer);

// Of an encoder that set_compute() has prepared for inference; nothing where transforms change what the forward pass
// sees, so that only the ops can compute it.
std::optional<EngineWeights> weights_of(const Encoder& encoder);

}  // namespace espalier
