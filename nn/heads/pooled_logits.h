// SPDX-License-Identifier: Apache-2.0
// What heads of whole sentences are made of: the [CLS] token goes through a pooler and a linear layer.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/encoder.h"

namespace espalier {

// logits[B, C] = classifier(dropout(tanh(pooler(x[B, H])))), with the parameters bert.pooler.dense and classifier of
// Hugging Face's BertForSequenceClassification.
struct PooledLogits {
  PooledLogits(ParameterStore& store, const Encoder& encoder, int64_t width)
      : config(encoder.config()),
        pooler(Scope(store) / "bert" / "pooler" / "dense", config.hidden_size, config.hidden_size),
        classifier(Scope(store) / "classifier", width, config.hidden_size) {}

  Var operator()(const Var& first, Context& context) const {
    const Var pooled = ops::tanh(pooler(first, context));
    const float p = config.classifier_dropout >= 0 ? config.classifier_dropout : config.hidden_dropout_prob;
    return classifier(ops::dropout(pooled, context.dropout(p)), context);
  }

  const BertConfig& config;
  Linear pooler, classifier;
};

// Of the [CLS] tokens, which begin the sentences.
inline std::vector<int32_t> first_rows(const PackedBatch& batch) {
  return {batch.offsets.begin(), batch.offsets.end() - 1};
}

}  // namespace espalier
