// SPDX-License-Identifier: Apache-2.0
// EngineLayer: one encoder layer for inference, on a group of sentences. Owned by Engine.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "nn/engine/packed_linear.h"

namespace espalier {

// Sentences that go through the layers together.
struct SentenceGroup {
  std::vector<int32_t> offsets;  // of its sentences, from 0 on
  std::vector<int32_t> chosen;   // rows that are wanted of the last layer; empty: all
  bool first_tokens = false;     // those are the first tokens of the sentences

  int64_t rows() const { return offsets.back(); }
  int64_t sentences() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

class EngineLayer {
 public:
  EngineLayer(const LayerWeights& weights, const EngineWeights& all);  // one of all

  // Replaces the hidden states x[rows, H], f32, by the layer's, for the chosen rows only if `last`: then they go to
  // `out`. `input` is x as the layer's first product reads it; where there is a next layer, its input is returned.
  Rows operator()(const SentenceGroup& group, const Rows& x, const Rows& input, const EngineLayer* next,
                  const Rows& out, Workspace& space) const;

  const PackedLinear& first() const { return qkv_; }

 private:
  // to = LayerNorm(x + residual); and as `reader` reads it, if there is one.
  void normalise(const NormWeights& norm, const Rows& x, const Rows& residual, const Rows& to,
                 const PackedLinear* reader, const Rows& input) const;
  void attend(const SentenceGroup& group, bool first_only, const Rows& qkv, const Rows& to) const;

  int64_t heads_, head_size_;
  float eps_;
  Activation activation_;
  PackedLinear qkv_, attention_output_, intermediate_, output_;
  NormWeights attention_norm_, output_norm_;
};

}  // namespace espalier
