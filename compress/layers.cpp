// SPDX-License-Identifier: Apache-2.0
#include "compress/layers.h"

#include <algorithm>
#include <set>

#include "core/check.h"

namespace espalier {
namespace {

const std::string prefix = "bert.encoder.layer.";

// The name in `from` of a parameter of the smaller model.
std::string name_before(const std::string& name, std::span<const int64_t> layers) {
  if (!name.starts_with(prefix)) return name;
  const size_t dot = name.find('.', prefix.size());
  const size_t layer = std::stoul(name.substr(prefix.size(), dot - prefix.size()));
  return prefix + std::to_string(layers[layer]) + name.substr(dot);
}

}  // namespace

std::unique_ptr<Model> keep_layers(const Model& model, std::span<const int64_t> layers) {
  const int64_t have = model.config.num_hidden_layers;
  CHECK(!layers.empty(), "layers: none would be left; keep at least one");
  std::set<int64_t> seen;
  for (const int64_t layer : layers) {
    CHECK(layer >= 0 && layer < have, "layers: ", layer, " is out of range; the model has the layers 0 to ", have - 1);
    CHECK(seen.insert(layer).second, "layers: ", layer, " is named twice");
  }
  model.store.settle();
  BertConfig config = model.config;
  config.num_hidden_layers = std::ssize(layers);
  for (std::vector<int64_t>* sizes : {&config.layer_heads, &config.layer_intermediate}) {
    if (sizes->empty()) continue;
    std::vector<int64_t> left;
    for (const int64_t layer : layers) left.push_back((*sizes)[static_cast<size_t>(layer)]);
    *sizes = left;
  }
  auto small = std::make_unique<Model>(config, model.tokenizer);
  small->store.lay_out();
  for (const Parameter* p : small->store.all()) {
    const std::string before = name_before(p->name, layers);
    p->value.copy_from(model.store.at(before).value);
    if (const auto mask = model.pruned.find(before); mask != model.pruned.end()) small->pruned[p->name] = mask->second;
  }
  small->options = model.options;
  small->source = model.source;
  return small;
}

std::vector<int64_t> layers_left(const Model& model) {
  std::vector<int64_t> left;
  for (size_t i = 0; i < model.bert->layers().size(); ++i) {
    const auto linears = model.bert->layers()[i].linears();
    const bool any = std::ranges::any_of(linears, [](const Linear* linear) {
      return std::ranges::any_of(linear->weight.value.span<float>(), [](float w) { return w != 0; });
    });
    if (any) left.push_back(static_cast<int64_t>(i));
  }
  return left;
}

}  // namespace espalier
