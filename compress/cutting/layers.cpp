// SPDX-License-Identifier: Apache-2.0
#include "compress/cutting/layers.h"

#include <algorithm>
#include <set>

#include "compress/cutting/cut.h"
#include "core/check.h"

namespace espalier {
namespace {

std::string prefix(int64_t layer) { return "bert.encoder.layer." + std::to_string(layer) + "."; }

std::set<int64_t> checked(std::span<const int64_t> layers, int64_t have) {
  std::set<int64_t> seen;
  for (const int64_t layer : layers) {
    CHECK(layer >= 0 && layer < have, "layers: ", layer, " is out of range; the model has the layers 0 to ", have - 1);
    CHECK(seen.insert(layer).second, "layers: ", layer, " is named twice; expected each layer once");
  }
  return seen;
}

}  // namespace

std::unique_ptr<Model> keep_layers(const Model& model, std::span<const int64_t> layers) {
  checked(layers, model.config.num_hidden_layers);
  CHECK(!layers.empty(), "layers: none of ", model.config.num_hidden_layers, " would be left; keep at least one");
  BertConfig config = model.config;
  config.num_hidden_layers = std::ssize(layers);
  config.layer_heads.clear();
  config.layer_intermediate.clear();
  CutParts pieces;
  for (int64_t to = 0; to < std::ssize(layers); ++to) {
    const int64_t from = layers[static_cast<size_t>(to)];
    if (!model.config.layer_heads.empty()) config.layer_heads.push_back(model.config.heads_of(from));
    if (!model.config.layer_intermediate.empty())
      config.layer_intermediate.push_back(model.config.intermediate_of(from));
    for (const Parameter* p : model.store.all())
      if (p->name.starts_with(prefix(from))) pieces[prefix(to) + p->name.substr(prefix(from).size())] = {p->name};
  }
  return cut(model, config, model.tokenizer, pieces);
}

std::unique_ptr<Model> drop_layers(const Model& model, std::span<const int64_t> layers) {
  const std::set<int64_t> dropped = checked(layers, model.config.num_hidden_layers);
  std::vector<int64_t> kept;
  for (const int64_t layer : all_of(model.config.num_hidden_layers))
    if (!dropped.contains(layer)) kept.push_back(layer);
  return keep_layers(model, kept);
}

std::vector<int64_t> layers_left(const Model& model) {
  std::vector<int64_t> left;
  for (const int64_t i : all_of(model.config.num_hidden_layers)) {
    const auto linears = model.bert->layers()[static_cast<size_t>(i)].linears();
    const bool any = std::ranges::any_of(linears, [](const Linear* linear) {
      return std::ranges::any_of(linear->weight.value.span<float>(), [](float w) { return w != 0; });
    });
    if (any) left.push_back(i);
  }
  return left;
}

}  // namespace espalier
