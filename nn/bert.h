// SPDX-License-Identifier: Apache-2.0
// BERT for sequence classification (Devlin et al. 2019, arXiv:1810.04805) on packed batches: every activation is [T,
// H]; only attention and the gathering of [CLS] read the sentence offsets.
#pragma once

#include <vector>

#include "nn/config.h"
#include "nn/layers.h"
#include "nn/packed_batch.h"

namespace espalier {

// One post-layer-norm encoder layer: self-attention and feed-forward, each with dropout, residual and layer
// normalisation.
struct EncoderLayer {
  EncoderLayer(const Scope& scope, const BertConfig& config);
  Var operator()(const Var& x, std::span<const int32_t> offsets, Context& context) const;  // x[T, H] -> [T, H]

  const BertConfig& config;
  Linear query, key, value, attention_output;
  LayerNorm attention_norm;
  Linear intermediate, output;
  LayerNorm output_norm;
};

class Bert {
 public:
  // Adds the parameters to the store, with the names of Hugging Face's BertForSequenceClassification. The store must
  // outlive the model.
  Bert(ParameterStore& store, const BertConfig& config);
  Bert(const Bert&) = delete;
  Bert& operator=(const Bert&) = delete;

  Var operator()(const PackedBatch& batch, Context& context) const;  // logits[B, C]
  Var encode(const PackedBatch& batch, Context& context) const;      // last hidden states[T, H]
  Var classify(const Var& hidden, std::span<const int32_t> offsets, Context& context) const;

  const BertConfig& config() const { return config_; }
  const std::vector<EncoderLayer>& layers() const { return layers_; }

 private:
  BertConfig config_;
  Parameter &word_, &position_, &segment_;
  LayerNorm embedding_norm_;
  std::vector<EncoderLayer> layers_;
  Linear pooler_, classifier_;
};

}  // namespace espalier
