// SPDX-License-Identifier: Apache-2.0
// How much work a model does, and what grows with what: O(L (n d² + n² d)) for L layers, n tokens and d hidden units.
// Used by inspect.
#pragma once

#include <cstdint>
#include <vector>

#include "data/models/model_source.h"

namespace espalier {

// Work is counted in multiply-accumulates (MAC): one is two floating-point operations. A layer that was cut counts as
// it is; zeros count as any number. In the last layer what follows attention is in fact computed for the rows alone
// that the head reads.
struct LayerComplexity {
  int64_t parameters = 0, bytes = 0;       // bytes: of its tensors in a checkpoint
  int64_t features = 0, intermediate = 0;  // heads times their size; feed-forward neurons
  int64_t projections = 0;                 // MAC a token of query, key, value and output: 4 d² in a whole layer
  int64_t feed_forward = 0;                // MAC a token: 8 d² where intermediate is 4 d
  int64_t activations = 0;                 // numbers a token that its products and its attention make

  int64_t per_token() const { return projections + feed_forward; }
  // MAC in a sentence of n tokens: queries with keys, probabilities with values.
  int64_t attention(int64_t n) const { return 2 * n * n * features; }
  int64_t per_sentence(int64_t n) const { return n * per_token() + attention(n); }
};

struct Complexity {
  int64_t hidden = 0;
  LayerComplexity embeddings = {};  // rows are looked up; ELECTRA's projection is work
  std::vector<LayerComplexity> layers = {};
  LayerComplexity head = {};     // its work is in head_macs
  int64_t head_macs = 0;         // a sentence, or a token where
  bool head_for_tokens = false;  // the head answers each token

  LayerComplexity encoder() const;  // all layers together
  int64_t head_work(int64_t n) const { return head_for_tokens ? n * head_macs : head_macs; }
  int64_t per_sentence(int64_t n) const {
    return embeddings.per_sentence(n) + encoder().per_sentence(n) + head_work(n);
  }
  int64_t parameters() const { return embeddings.parameters + encoder().parameters + head.parameters; }
  int64_t bytes() const { return embeddings.bytes + encoder().bytes + head.bytes; }
};

Complexity complexity_of(const Model& model);

}  // namespace espalier
