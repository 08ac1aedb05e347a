// SPDX-License-Identifier: Apache-2.0
// What inference reads of a model: tensors and packed weights, without names, transforms or gradients. Made from a Bert
// that is prepared for inference, or from an edge file. Taken by Engine.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "core/activation.h"
#include "core/products/weight.h"

namespace espalier {

struct LinearWeights {
  WeightForm form = {};  // QuantizedWeight or InferenceWeight
  Tensor bias = {};      // f32[out]
  int64_t out = 0, in = 0;
};

struct NormWeights {
  Tensor weight = {}, bias = {};  // f32[H] each
};

struct LayerWeights {
  int64_t heads = 0;
  LinearWeights query = {}, key = {}, value = {}, attention_output = {}, intermediate = {},
                output = {};  // the first three share their input
  NormWeights attention_norm = {}, output_norm = {};
};

struct EngineWeights {
  int64_t head_size = 0;
  float eps = 0;               // of the layer norms
  DType compute = DType::f32;  // of the products whose weights are not integers: f32 or bf16
  Tensor word = {};            // f32[V, H], or else
  std::shared_ptr<const QuantizedWeight> word_integers = {};  // a table of V rows
  Tensor position = {}, segment = {};  // f32[positions, H], f32[segments, H]; no segment: there are none
  int64_t first_position = 0;          // see ops::places
  NormWeights norm = {};
  std::optional<LinearWeights> projection = {};  // of the embeddings, where their width is not H
  Activation activation = Activation::gelu;
  std::vector<LayerWeights> layers = {};

  int64_t hidden() const { return layers.front().output.out; }
};

}  // namespace espalier
