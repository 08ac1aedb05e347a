// SPDX-License-Identifier: Apache-2.0
// Whole encoder layers cut out of a model (Sajjad et al. 2020, arXiv:2004.03844). No mask can say that: a layer of
// zeros still applies its two layer norms. Used by prune; a shallower model is also where a student starts.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "data/models/model_source.h"

namespace espalier {

// A model of these layers only, counted from 0, in this order; all else is copied, masks too. Throws for a layer that
// the model does not have, for one that is named twice and for none at all.
std::unique_ptr<Model> keep_layers(const Model& model, std::span<const int64_t> layers);

// A model without these layers; throws likewise, and if none would be left.
std::unique_ptr<Model> drop_layers(const Model& model, std::span<const int64_t> layers);

// The layers whose matrices are not all zero: those that a Pruner with the structure `layer` has kept.
std::vector<int64_t> layers_left(const Model& model);

}  // namespace espalier
