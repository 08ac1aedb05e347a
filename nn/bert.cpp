// SPDX-License-Identifier: Apache-2.0
#include "nn/bert.h"

#include "nn/engine/weights_of.h"
#include "nn/heads/heads.h"

namespace espalier {

Bert::Bert(ParameterStore& store, const BertConfig& config)
    : Bert(store, config, head_named(config.head, "model").make) {}

Bert::Bert(ParameterStore& store, const BertConfig& config, MakeHead make_head)
    : config_(config), encoder_(store, config_), head_(make_head(store, encoder_)) {}

void Bert::set_dropout(float probability) {
  config_.hidden_dropout_prob = config_.attention_probs_dropout_prob = config_.classifier_dropout = probability;
  config_.check("dropout");
}

void Bert::set_compute(DType compute, Use use) {
  encoder_.set_compute(compute, use);
  for (Linear* linear : head_->linears()) linear->prepare(DType::f32, use);
  engine_ = nullptr;
  if (use == Use::training) return;
  if (auto weights = weights_of(encoder_)) engine_ = std::make_unique<const Engine>(std::move(*weights));
  // Values that are made when they are asked for: the ops read them, in several threads.
  for (Linear* linear : head_->linears()) (void)linear->weight.use({});
  if (engine_ != nullptr) return;
  (void)encoder_.word_embeddings().use({});
  if (encoder_.projection()) (void)encoder_.projection()->weight.use({});
  for (EncoderLayer& layer : encoder_.layers())
    for (Linear* linear : layer.linears()) (void)linear->weight.use({});
}

Var Bert::operator()(const PackedBatch& batch, Context& context, Activations* inside) const {
  CHECK(batch.sentences() > 0, "bert: a batch without sentences");
  const std::vector<int32_t> rows = head_->rows(batch);
  if (engine_ != nullptr && context.tape == nullptr && !context.training && inside == nullptr)
    return head_->logits({(*engine_)(batch, rows)}, context);
  Var hidden = encoder_(batch, context, inside == nullptr ? rows : std::span<const int32_t>(), inside);
  if (inside != nullptr && !rows.empty()) hidden = ops::gather_rows(hidden, rows);
  return head_->logits(hidden, context);
}

}  // namespace espalier
