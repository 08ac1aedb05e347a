// SPDX-License-Identifier: Apache-2.0
// What heads of whole sentences share: the [CLS] token goes through a pooler and a linear layer.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/heads/head.h"

namespace espalier {

// logits[B, C] = classifier(dropout(f(pooler(x[B, H])))), with the parameters bert.pooler.dense and classifier of
// Hugging Face's BertForSequenceClassification. f is tanh for BERT and RoBERTa, ReLU for DistilBERT and GELU for
// ELECTRA; RoBERTa and ELECTRA have a dropout before the pooler, too.
class PooledHead : public Head {
 public:
  // C is the number of BertConfig::labels, or `width`.
  PooledHead(ParameterStore& store, const Encoder& encoder) : PooledHead(store, encoder, encoder.config().classes()) {}
  PooledHead(ParameterStore& store, const Encoder& encoder, int64_t width)
      : config_(encoder.config()),
        pooler_(Scope(store) / "bert" / "pooler" / "dense", config_.hidden_size, config_.hidden_size),
        classifier_(Scope(store) / "classifier", width, config_.hidden_size) {}

  // The [CLS] tokens, which begin the sentences.
  std::vector<int32_t> rows(const PackedBatch& batch) const override;
  Var logits(const Var& hidden, Context& context) const override;
  int64_t width() const override { return classifier_.weight.shape[0]; }
  const std::vector<std::string>& labels() const override { return config_.labels; }
  std::string parts() const override { return "pooler and classifier"; }
  std::vector<Linear*> linears() override { return {&pooler_, &classifier_}; }
  std::vector<Linear*> quantizable() override { return {&pooler_}; }
  const Linear& pooler() const { return pooler_; }
  const Linear& classifier() const { return classifier_; }
  enum class Pool { tanh, relu, gelu };
  Pool pool() const;  // f

 private:
  const BertConfig& config_;
  Linear pooler_, classifier_;
};

}  // namespace espalier
