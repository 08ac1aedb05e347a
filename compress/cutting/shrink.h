// SPDX-License-Identifier: Apache-2.0
// Shrinking: heads and feed-forward neurons that pruning has set to zero are cut out of the tensors, and the
// configuration records what each layer has left. Used by prune --shrink.
#pragma once

#include <memory>

#include "data/models/model_source.h"

namespace espalier {

// A model of its own shapes that computes the same. A head or neuron goes if all weights that read its output are zero
// in the stored values; the first of a layer stays where all would go. Masks of other pruned
// weights are cut along.
std::unique_ptr<Model> shrink(const Model& model);

}  // namespace espalier
