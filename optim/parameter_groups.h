// SPDX-License-Identifier: Apache-2.0
// Groups of parameters that learn differently: layer by layer with a rate of their own (Clark et al. 2020,
// arXiv:2003.10555, "layerwise learning-rate decay"), or not at all.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/record.h"
#include "nn/parameter.h"

namespace espalier {

// Sets Parameter::rate_share of a model with L layers, counted from 0: decay^(L - l) in layer l, decay^(L + 1) in the
// embeddings, 1 in the rest, which is the head.
void set_layer_decay(ParameterStore& store, int64_t layers, double decay);

// Sets Parameter::frozen where one of the patterns is the name, with * for any text. Throws Error for a pattern that
// matches nothing, with examples, and where nothing would be left to learn.
void freeze(ParameterStore& store, const std::vector<std::string>& patterns);

// The embeddings, a layer, the head; a frozen part of one is a group of its own.
struct ParameterGroup {
  std::string name;
  double rate_share = 1;
  bool frozen = false;
  int64_t tensors = 0, decaying_tensors = 0;  // the latter have weight decay
  int64_t parameters = 0, decaying = 0;
};

// From the embeddings to the head.
std::vector<ParameterGroup> parameter_groups(const ParameterStore& store);

// One line for each, with rate and decay, for people: "layer 3   rate 1.6e-05   weight decay 0.01 on 6 of 16 tensors
// …".
std::string describe(const std::vector<ParameterGroup>& groups, double rate, double weight_decay);
Record to_record(const std::vector<ParameterGroup>& groups, double rate, double weight_decay);  // a list

}  // namespace espalier
