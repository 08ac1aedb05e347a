// SPDX-License-Identifier: Apache-2.0
// The head of pre-training: masked-language modelling, with or without next-sentence prediction (Devlin et al. 2019,
// arXiv:1810.04805, section 3.1).
#pragma once

#include <optional>
#include <vector>

#include "nn/heads/head.h"
#include "nn/layer_norm.h"

namespace espalier {

// What a batch says beside its tokens, whose masked ones hold [MASK] or another token already:
//   PackedBatch::labels [T]     the token that stood there, -1 where none was chosen; never at a sentence's first token
//   PackedBatch::values [B, 1]  of a head with pairs: 0 the second text follows the first, 1 it was drawn at random,
//                               -1 there is only one; empty where no sentence is a pair
// Words: decoder(LayerNorm(f(dense(x)))), f the encoder's activation; the decoder is the table of word embeddings with
// a bias of its own. Pairs: seq_relationship(tanh(pooler([CLS]))). The loss is the mean cross-entropy over masked
// tokens plus the mean over pairs: LossWeight's two. Parameters have the names of Hugging Face's BertForPreTraining,
// or, without pairs, of BertForMaskedLM. There are never logits for all words of all tokens: logits() are the hidden
// states [R, H] of rows(), which loss() and scores() take further, see core/ops/vocabulary_loss.h. The words' products
// are in the encoder's precision, all others in f32.
class Pretraining : public Head {
 public:
  enum class Pairs { none, predicted };
  // Throws for an encoder that transformers' class for BERT does not have: another model_type, embeddings with a width
  // of their own. Sets Parameter::whole_gradient of the word embeddings.
  Pretraining(ParameterStore& store, const Encoder& encoder, Pairs pairs);

  // The first token of each sentence and the masked ones.
  std::vector<int32_t> rows(const PackedBatch& batch) const override;
  Var logits(const Var& hidden, Context& /*context*/) const override { return hidden; }
  int64_t width() const override { return 0; }
  Label read_label(std::string_view text) const override;  // throws: it learns from plain text

  Var loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const override;
  LossWeight weight(const PackedBatch& batch) const override;
  // Throws: it needs the batch and the teacher's own table.
  Var soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const override;
  // Distillation: T^2 times the Kullback-Leibler divergence of this head's distribution over the words from that of a
  // teacher, which has the same vocabulary, summed over the batch's masked tokens and divided by `divisor`, the step's
  // weight.labels. `states` are the teacher's logits() for the same batch; its width may differ. One element.
  Var soft_loss(const Var& logits, const PackedBatch& batch, const Pretraining& teacher, const Tensor& states,
                double temperature, double divisor) const;

  // Of each sentence: sums over its masked tokens and what it is as a pair. The metrics are masked_accuracy,
  // masked_loss, pair_accuracy and pair_loss; those of nothing are left out.
  Tensor scores(const Tensor& logits, const PackedBatch& batch) const override;
  Metrics metrics(const Tensor& scores) const override;
  std::string metric() const override { return "masked_accuracy"; }
  std::vector<Metric> known_metrics() const override;
  Answer answer(const Tensor& logits) const override;  // throws: it answers nothing about a text

  const std::vector<std::string>& labels() const override { return labels_; }
  std::string parts() const override;
  std::vector<Linear*> linears() override;
  std::vector<Linear*> quantizable() override { return {}; }

 private:
  struct Words {
    Var states, table, bias;  // [M, H], [V, H], [V]
    std::vector<int32_t> labels;
  };
  Words words(const Var& rows, const PackedBatch& batch) const;
  Var pairs(const Var& rows, const PackedBatch& batch) const;  // logits [B, 2]

  const Encoder& encoder_;
  Linear dense_;
  LayerNorm norm_;
  Parameter& bias_;
  std::optional<Linear> pooler_, classifier_;  // of pairs
  std::vector<std::string> labels_ = {};       // none: its classes are words
};

}  // namespace espalier
