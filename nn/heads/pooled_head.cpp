// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/pooled_head.h"

namespace espalier {

std::vector<int32_t> PooledHead::rows(const PackedBatch& batch) const {
  return {batch.offsets.begin(), batch.offsets.end() - 1};
}

// Dropout acts where transformers' classes have it: DistilBERT's and BERT's only behind the pooler.
Var PooledHead::logits(const Var& hidden, Context& context) const {
  const float p = config_.classifier_dropout >= 0 ? config_.classifier_dropout : config_.hidden_dropout_prob;
  const bool drops_first =
      config_.architecture == Architecture::roberta || config_.architecture == Architecture::electra;
  const Var pooled = pooler_(drops_first ? ops::dropout(hidden, context.dropout(p)) : hidden, context);
  const Var active = pool() == Pool::tanh
                         ? ops::tanh(pooled)
                         : ops::activation(pooled, pool() == Pool::relu ? Activation::relu : Activation::gelu);
  return classifier_(ops::dropout(active, context.dropout(p)), context);
}

PooledHead::Pool PooledHead::pool() const {
  switch (config_.architecture) {
    case Architecture::distilbert:
      return Pool::relu;
    case Architecture::electra:
      return Pool::gelu;
    default:
      return Pool::tanh;
  }
}

}  // namespace espalier
