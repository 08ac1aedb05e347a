// SPDX-License-Identifier: Apache-2.0
// The weights in an edge file, by Hugging Face's names. Those of real numbers are sections of these names.
// Integers are several sections:
//   NAME.bits        i32[2]: bits, 2 to 8, and 1 for products or 0 for a table
//   NAME.scales      f32[rows]
//   NAME.input_grid  f32[4]: scale, zero point, low, high of the input; missing for dynamic and tables
//   NAME.integers    of a table, s8[rows, cols]
//   NAME.shape       of products, i32[2]: rows, cols
//   NAME.quads       i32[left, 32], NAME.index i32[left] and NAME.firsts i32[panels + 1], as PackedQuads
// With 4 bits or less NAME.quads are u8[left, 64], and so is NAME.integers, u8[rows, cols / 2], where cols is even: two
// integers a byte, the first one low, as two's complement.
// Used by EdgeModel; written by export_edge.
#pragma once

#include <memory>
#include <string>

#include "data/edge/edge_file.h"
#include "nn/engine/weights.h"

namespace espalier {

// These throw Error, naming the section, for what is missing or has other shapes.
bool has_integers(const EdgeFile& file, const std::string& name);
std::shared_ptr<const QuantizedWeight> integers_of(const EdgeFile& file, const std::string& name);
Tensor finite_reals(const EdgeFile& file, const std::string& name, int rank);  // f32, finite
Tensor reals_of(const EdgeFile& file, const std::string& name, const Shape& shape);
LinearWeights linear_of(const EdgeFile& file, const std::string& name, int64_t in);  // any number of outputs
EngineWeights encoder_of(const EdgeFile& file);
int64_t hidden_of(const EdgeFile& file);

// What is not BERT's, in the section "encoder", i32[3]; without it all is.
struct EdgeEncoder {
  int64_t first_position = 0;  // see ops::places
  Activation activation = Activation::gelu;
  int pool = 0;  // what follows the pooler's product, see PooledHead::Pool: tanh, ReLU or GELU
};
EdgeEncoder edge_encoder(const EdgeFile& file);

}  // namespace espalier
