// SPDX-License-Identifier: Apache-2.0
#include "nn/encoder.h"

namespace espalier {

EncoderLayer::EncoderLayer(const Scope& s, const BertConfig& c, int64_t index)
    : config(c),
      heads(c.heads_of(index)),
      query(s / "attention" / "self" / "query", heads * c.head_size(), c.hidden_size),
      key(s / "attention" / "self" / "key", heads * c.head_size(), c.hidden_size),
      value(s / "attention" / "self" / "value", heads * c.head_size(), c.hidden_size),
      attention_output(s / "attention" / "output" / "dense", c.hidden_size, heads * c.head_size()),
      attention_norm(s / "attention" / "output" / "LayerNorm", c.hidden_size),
      intermediate(s / "intermediate" / "dense", c.intermediate_of(index), c.hidden_size),
      output(s / "output" / "dense", c.hidden_size, c.intermediate_of(index)),
      output_norm(s / "output" / "LayerNorm", c.hidden_size) {}

Var EncoderLayer::operator()(const Var& x, std::span<const int32_t> offsets, Context& context, DType compute,
                             std::span<const int32_t> rows, std::vector<Var>* qkv) const {
  const float p = config.hidden_dropout_prob, eps = config.layer_norm_eps;
  const Var in = query.input(x, context);
  const std::array parts = {query.use(context), key.use(context), value.use(context)};
  const Dropout attention_dropout = context.dropout(config.attention_probs_dropout_prob);
  const Var all = ops::linear(in, parts, compute);
  if (qkv != nullptr) qkv->push_back(all);
  Var attention = ops::attention(all, offsets, heads, attention_dropout);
  Var residual = x;
  if (!rows.empty()) {
    attention = ops::gather_rows(attention, rows);
    residual = ops::gather_rows(x, rows);
  }
  const Var attended =
      attention_norm.after_residual(attention_output(attention, context, compute, DType::f32), residual, eps,
                                    context.dropout(config.attention_output_dropout()), context);
  const Var wide = ops::activation(intermediate(attended, context, compute), config.activation);
  return output_norm.after_residual(output(wide, context, compute, DType::f32), attended, eps, context.dropout(p),
                                    context);
}

Encoder::Encoder(ParameterStore& store, const BertConfig& config)
    : config_(config),
      word_((Scope(store) / "bert" / "embeddings" / "word_embeddings")
                .parameter("weight", {config.vocab_size, config.embedding_width()}, Role::embedding)),
      position_((Scope(store) / "bert" / "embeddings" / "position_embeddings")
                    .parameter("weight", {config.max_position_embeddings, config.embedding_width()}, Role::embedding)),
      embedding_norm_(Scope(store) / "bert" / "embeddings" / "LayerNorm", config.embedding_width()) {
  config.check("model");
  const Scope bert = Scope(store) / "bert", scope = bert / "encoder" / "layer";
  if (config.type_vocab_size > 0)
    segment_ = &(bert / "embeddings" / "token_type_embeddings")
                    .parameter("weight", {config.type_vocab_size, config.embedding_width()}, Role::embedding);
  if (config.embedding_width() != config.hidden_size)
    projection_.emplace(bert / "embeddings_project", config.hidden_size, config.embedding_width());
  layers_.reserve(static_cast<size_t>(config.num_hidden_layers));
  for (int64_t i = 0; i < config.num_hidden_layers; ++i) layers_.emplace_back(scope / i, config_, i);
}

bool Encoder::owns(std::string_view name) {
  return name.starts_with("bert.embeddings") || name.starts_with("bert.encoder.");
}

void Encoder::set_compute(DType compute, Use use) {
  CHECK(compute == DType::f32 || compute == DType::bf16, "bert: products in ", name_of(compute),
        ", f32 or bf16 is expected");
  compute_ = compute;
  if (projection_) projection_->prepare(compute, use);
  for (EncoderLayer& layer : layers_)
    for (Linear* linear : layer.linears()) linear->prepare(compute, use);
}

Var Encoder::operator()(const PackedBatch& batch, Context& context, std::span<const int32_t> rows,
                        Activations* inside) const {
  CHECK(inside == nullptr || !checkpointing_, "bert: with gradient checkpointing nothing inside a layer is kept");
  Var x = ops::embedding(batch.ids, batch.segments, batch.offsets, word_.use_rows(context, batch.ids),
                         position_.use(context), segment_ != nullptr ? segment_->use(context) : Var{},
                         embedding_norm_.weight.use(context), embedding_norm_.bias.use(context), config_.layer_norm_eps,
                         config_.first_position);
  x = ops::dropout(x, context.dropout(config_.hidden_dropout_prob));
  if (projection_) x = (*projection_)(x, context, compute_, DType::f32);
  if (inside != nullptr) inside->hidden.push_back(x);
  for (const EncoderLayer& layer : layers_) {
    const std::span<const int32_t> wanted = &layer == &layers_.back() ? rows : std::span<const int32_t>();
    if (!checkpointing_ || x.tape == nullptr) {  // below a constant nothing would be run again
      x = layer(x, batch.offsets, context, compute_, wanted, inside != nullptr ? &inside->qkv : nullptr);
      if (inside != nullptr) inside->hidden.push_back(x);
      continue;
    }
    // Run twice, with the same dropout: the copy starts from the places passed so far. The batch need not live as long.
    x = ops::checkpoint(x,
                        [&layer, offsets = batch.offsets, wanted = std::vector<int32_t>(wanted.begin(), wanted.end()),
                         compute = compute_, copy = context](const Var& in, Tape* tape) {
                          Context own = copy;
                          own.tape = tape;
                          own.again = tape != nullptr;
                          return layer(in, offsets, own, compute, wanted);
                        });
    context.places += EncoderLayer::dropout_places;
  }
  return x;
}

}  // namespace espalier
