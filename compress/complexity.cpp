// SPDX-License-Identifier: Apache-2.0
#include "compress/complexity.h"

#include "compress/report.h"

namespace espalier {
namespace {

LayerComplexity sizes_of(const PartReport& part) { return {.parameters = part.parameters, .bytes = part.stored}; }

void add(LayerComplexity& to, const LayerComplexity& from) {
  to.parameters += from.parameters;
  to.bytes += from.bytes;
  to.features += from.features;
  to.intermediate += from.intermediate;
  to.projections += from.projections;
  to.feed_forward += from.feed_forward;
  to.activations += from.activations;
}

}  // namespace

LayerComplexity Complexity::encoder() const {
  LayerComplexity all;
  for (const LayerComplexity& layer : layers) add(all, layer);
  return all;
}

Complexity complexity_of(const Model& model) {
  const std::vector<PartReport> parts = report_of(model, 1);  // embeddings, two for each layer, head
  Complexity result{.hidden = model.config.hidden_size,
                    .embeddings = sizes_of(parts.front()),
                    .head = sizes_of(parts.back()),
                    .head_for_tokens = model.bert->head().width() == 0};
  for (const EncoderLayer& layer : model.bert->layers()) {
    const size_t i = result.layers.size();
    LayerComplexity& to = result.layers.emplace_back(sizes_of(parts[2 * i + 1]));
    add(to, sizes_of(parts[2 * i + 2]));
    to.features = layer.query.weight.shape[0];
    to.intermediate = layer.intermediate.weight.shape[0];
    to.activations = to.features;  // attention's
    for (const Linear* linear : layer.linears()) {
      const Shape& shape = linear->weight.shape;
      const bool second = linear == &layer.intermediate || linear == &layer.output;
      (second ? to.feed_forward : to.projections) += shape.size();
      to.activations += shape[0];
    }
  }
  for (const Parameter* p : model.store.all())
    if (p->role == Role::weight && !Encoder::owns(p->name))
      result.head_macs += p->shape.size();
    else if (p->role == Role::weight && p->name.starts_with("bert.embeddings"))
      result.embeddings.projections += p->shape.size();
  return result;
}

}  // namespace espalier
