// SPDX-License-Identifier: Apache-2.0
// The encoder of BERT and of its relatives, see Architecture: embeddings and transformer layers on packed batches. It
// turns tokens into hidden states, one row a token; only attention reads the sentence offsets. Used by Bert, below a
// head.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>
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

class Encoder {
 public:
  // Adds the parameters to the store, with the names of Hugging Face's BertModel below "bert." for every architecture,
  // and ELECTRA's for what BERT does not have. Store and configuration
  // must outlive the encoder; dropout probabilities are read from the configuration at every pass. Throws where
  // BertConfig::check does.
  Encoder(ParameterStore& store, const BertConfig& config);

  // Last hidden states [T, H] f32; with rows, distinct and in order, those of these rows of the batch only: [rows, H].
  // Fills `inside` if it is given.
  Var operator()(const PackedBatch& batch, Context& context, std::span<const int32_t> rows = {},
                 Activations* inside = nullptr) const;

  // Whether a parameter of a model is the encoder's. All others are its head's.
  static bool owns(std::string_view name);

  // See Bert.
  void set_compute(DType compute, Use use);
  DType compute() const { return compute_; }
  void set_gradient_checkpointing(bool on) { checkpointing_ = on; }

  const BertConfig& config() const { return config_; }
  // H is here BertConfig::embedding_width().
  Parameter& word_embeddings() const { return word_; }          // [V, H]
  Parameter& position_embeddings() const { return position_; }  // [positions, H]
  Parameter* segment_embeddings() const { return segment_; }    // [segments, H]; null: there are none
  const LayerNorm& embedding_norm() const { return embedding_norm_; }
  const std::optional<Linear>& projection() const { return projection_; }  // of embeddings with a width of their own
  const std::vector<EncoderLayer>& layers() const { return layers_; }
  std::vector<EncoderLayer>& layers() { return layers_; }

 private:
  const BertConfig& config_;
  Parameter &word_, &position_;
  Parameter* segment_ = nullptr;
  LayerNorm embedding_norm_;
  std::optional<Linear> projection_;
  std::vector<EncoderLayer> layers_;
  DType compute_ = DType::f32;
  bool checkpointing_ = false;
};

}  // namespace espalier
