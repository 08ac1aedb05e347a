// SPDX-License-Identifier: Apache-2.0
// BERT for sequence classification (Devlin et al. 2019, arXiv:1810.04805) on packed batches: every activation is [T,
// H]; only attention and the gathering of [CLS] read the sentence offsets.
#pragma once

#include <array>
#include <vector>

#include "nn/config.h"
#include "nn/layer_norm.h"
#include "nn/linear.h"
#include "nn/packed_batch.h"

namespace espalier {

// What lies inside a forward pass, for losses on it.
struct Activations {
  std::vector<Var> hidden;  // [T, H] each: the embeddings, then what each layer makes of them
  std::vector<Var> qkv;     // [T, 3 A D] of each layer: queries, keys and values side by side
};

// One post-layer-norm encoder layer: self-attention and feed-forward, each with dropout, residual and layer
// normalisation.
struct EncoderLayer {
  EncoderLayer(const Scope& scope, const BertConfig& config, int64_t index = 0);
  // x[T, H] f32 -> [T, H] f32; products and what lies between them are in `compute`, f32 or bf16. With rows, what
  // follows attention is computed for these rows of x only: -> [rows, H]. Adds queries, keys and values to `qkv`.
  Var operator()(const Var& x, std::span<const int32_t> offsets, Context& context, DType compute = DType::f32,
                 std::span<const int32_t> rows = {}, std::vector<Var>* qkv = nullptr) const;
  std::array<const Linear*, 6> linears() const {
    return {&query, &key, &value, &attention_output, &intermediate, &output};
  }
  std::array<Linear*, 6> linears() { return {&query, &key, &value, &attention_output, &intermediate, &output}; }
  // Those that share their input, whose transforms are those of the first one.
  std::array<std::vector<Linear*>, 4> by_input() {
    return {{{&query, &key, &value}, {&attention_output}, {&intermediate}, {&output}}};
  }

  static constexpr uint32_t dropout_places = 3;

  const BertConfig& config;
  int64_t heads;  // of this layer
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

  // logits[B, C]; the last layer works on [CLS] rows only, unless somebody wants to see what lies inside.
  Var operator()(const PackedBatch& batch, Context& context, Activations* inside = nullptr) const;
  Var encode(const PackedBatch& batch, Context& context) const;  // last hidden states[T, H]

  const BertConfig& config() const { return config_; }
  void set_dropout(float probability);  // of all three kinds, instead of the configuration's
  // Encoder products in f32 or, with bf16, in mixed precision; pooler, classifier, softmax and layer norms stay f32.
  // Prepares the weights, see Linear: call it again after they were replaced other than by the optimizer.
  void set_compute(DType compute, Use use = Use::training);
  DType compute() const { return compute_; }

  // Remembers only each layer's input for the backward pass and computes the rest again: less memory, a third more
  // time.
  void set_gradient_checkpointing(bool on) { checkpointing_ = on; }

  const std::vector<EncoderLayer>& layers() const { return layers_; }
  std::vector<EncoderLayer>& layers() { return layers_; }
  const Linear& pooler() const { return pooler_; }
  Linear& pooler() { return pooler_; }

 private:
  Var run_layers(const PackedBatch& batch, Context& context, std::span<const int32_t> last_rows,
                 Activations* inside = nullptr) const;

  BertConfig config_;
  Parameter &word_, &position_, &segment_;
  LayerNorm embedding_norm_;
  std::vector<EncoderLayer> layers_;
  Linear pooler_, classifier_;
  DType compute_ = DType::f32;
  bool checkpointing_ = false;
};

}  // namespace espalier
