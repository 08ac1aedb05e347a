// SPDX-License-Identifier: Apache-2.0
#include "nn/engine/weights_of.h"

#include <algorithm>
#include <array>

namespace espalier {
namespace {

// Whether the layers, which share their input, have forms that need no tape.
bool serves(std::span<const Linear* const> layers) {
  const auto integers = [](const Linear* l) { return as<QuantizedWeight>(l->form()); };
  const auto first = integers(layers.front());
  return std::ranges::all_of(layers, [&](const Linear* l) {
    if (!l->input_transforms.empty() || !l->weight.keeps_value() || !l->bias.transforms.empty()) return false;
    const auto own = integers(l);
    if ((own == nullptr) != (first == nullptr)) return false;
    return own != nullptr ? own->products() && own->shares_input(*first) : as<InferenceWeight>(l->form()) != nullptr;
  });
}

bool serves(const LayerNorm& norm) { return norm.weight.transforms.empty() && norm.bias.transforms.empty(); }

bool serves(const EncoderLayer& l) {
  return serves(l.attention_norm) && serves(l.output_norm) && serves(std::array{&l.query, &l.key, &l.value}) &&
         serves(std::array{&l.attention_output}) && serves(std::array{&l.intermediate}) &&
         serves(std::array{&l.output});
}

NormWeights weights_of(const LayerNorm& norm) { return {norm.weight.value, norm.bias.value}; }

LayerWeights weights_of(const EncoderLayer& l) {
  return {.heads = l.heads,
          .query = weights_of(l.query),
          .key = weights_of(l.key),
          .value = weights_of(l.value),
          .attention_output = weights_of(l.attention_output),
          .intermediate = weights_of(l.intermediate),
          .output = weights_of(l.output),
          .attention_norm = weights_of(l.attention_norm),
          .output_norm = weights_of(l.output_norm)};
}

}  // namespace

LinearWeights weights_of(const Linear& layer) {
  CHECK(serves(std::array{&layer}), layer.weight.name, ": is not prepared for inference without tape");
  return {.form = layer.form(), .bias = layer.bias.value, .out = layer.weight.shape[0], .in = layer.weight.shape[1]};
}

std::optional<EngineWeights> weights_of(const Encoder& encoder) {
  if (!std::ranges::all_of(encoder.layers(), [](const EncoderLayer& l) { return serves(l); })) return std::nullopt;
  if (!serves(encoder.embedding_norm()) || !encoder.word_embeddings().keeps_value()) return std::nullopt;
  for (const Parameter* p : {&encoder.position_embeddings(), encoder.segment_embeddings()})
    if (p != nullptr && !p->transforms.empty()) return std::nullopt;
  if (encoder.projection() && !serves(std::array{&*encoder.projection()})) return std::nullopt;
  EngineWeights w = {.head_size = encoder.config().head_size(),
                     .eps = encoder.config().layer_norm_eps,
                     .compute = encoder.compute(),
                     .word_integers = encoder.word_embeddings().integers(),
                     .position = encoder.position_embeddings().value,
                     .first_position = encoder.config().first_position,
                     .norm = weights_of(encoder.embedding_norm()),
                     .activation = encoder.config().activation};
  if (encoder.segment_embeddings() != nullptr) w.segment = encoder.segment_embeddings()->value;
  if (encoder.projection()) w.projection = weights_of(*encoder.projection());
  if (w.word_integers == nullptr) w.word = encoder.word_embeddings().use({}).value;
  for (const EncoderLayer& layer : encoder.layers()) w.layers.push_back(weights_of(layer));
  return w;
}

}  // namespace espalier
