// SPDX-License-Identifier: Apache-2.0
// Bert: an encoder with a head for its task (nn/heads), on packed batches. It owns the configuration and both parts;
// the store owns the parameters. Used by everything above nn.
#pragma once

#include <memory>
#include <vector>

#include "nn/encoder.h"
#include "nn/engine/engine.h"
#include "nn/heads/head.h"

namespace espalier {

class Bert {
 public:
  // Adds the parameters to the store, with Hugging Face's names. The store must outlive the model. The head is
  // config.head's in the table of nn/heads/heads.h, or one of the caller's own.
  Bert(ParameterStore& store, const BertConfig& config);
  Bert(ParameterStore& store, const BertConfig& config, MakeHead make_head);
  Bert(const Bert&) = delete;
  Bert& operator=(const Bert&) = delete;

  // The head's logits, [B, C] for classification. Prepared for inference, a sentence gets the same bits in every batch
  // and with any number of threads, on one instruction set, and several threads may ask at once. The last layer works
  // only on the rows that the head wants, unless somebody wants to see what lies inside.
  Var operator()(const PackedBatch& batch, Context& context, Activations* inside = nullptr) const;

  const BertConfig& config() const { return config_; }
  const Encoder& encoder() const { return encoder_; }
  const Head& head() const { return *head_; }
  Head& head() { return *head_; }
  const std::vector<EncoderLayer>& layers() const { return encoder_.layers(); }
  std::vector<EncoderLayer>& layers() { return encoder_.layers(); }

  void set_dropout(float probability);  // of all three kinds, instead of the configuration's
  // Encoder products in f32 or, with bf16, in mixed precision; the head, softmax and layer norms stay f32. Prepares the
  // weights, see Linear: call it again after they were replaced other than by the optimizer.
  void set_compute(DType compute, Use use = Use::training);
  DType compute() const { return encoder_.compute(); }
  // Remembers only each layer's input for the backward pass and computes the rest again: less memory, a third more
  // time.
  void set_gradient_checkpointing(bool on) { encoder_.set_gradient_checkpointing(on); }

 private:
  BertConfig config_;
  Encoder encoder_;
  std::unique_ptr<Head> head_;
  std::unique_ptr<const Engine> engine_;  // if it is prepared for inference
};

}  // namespace espalier
