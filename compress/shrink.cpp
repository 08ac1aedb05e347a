// SPDX-License-Identifier: Apache-2.0
#include "compress/shrink.h"

#include <algorithm>
#include <numeric>

#include "compress/mask.h"

namespace espalier {
namespace {

using Indices = std::vector<int64_t>;

Indices all_of(int64_t n) {
  Indices indices(static_cast<size_t>(n));
  std::iota(indices.begin(), indices.end(), int64_t{0});
  return indices;
}

// Units of `width` columns of w[out, in] that are not all zero; the first where all are.
Indices used_units(const Tensor& w, int64_t width) {
  Indices used;
  for (int64_t unit = 0; unit < w.cols() / width; ++unit) {
    bool any = false;
    for (int64_t r = 0; r < w.rows() && !any; ++r) {
      const float* const first = w.data<float>() + r * w.cols() + unit * width;
      any = std::any_of(first, first + width, [](float v) { return v != 0; });
    }
    if (any) used.push_back(unit);
  }
  if (used.empty()) used.push_back(0);
  return used;
}

Indices widened(const Indices& units, int64_t width) {
  Indices indices;
  for (const int64_t u : units)
    for (int64_t i = u * width; i < (u + 1) * width; ++i) indices.push_back(i);
  return indices;
}

// to = from's rows and columns; a vector has one column.
void copy(const Tensor& from, const Indices& rows, const Indices& cols, const Tensor& to) {
  const int64_t width = from.shape().rank() > 1 ? from.cols() : 1;
  CHECK(to.size() == std::ssize(rows) * std::ssize(cols), "shrink: ", rows.size(), " rows and ", cols.size(),
        " columns do not make ", to.shape());
  float* out = to.data<float>();
  for (const int64_t r : rows)
    for (const int64_t c : cols) *out++ = from.data<float>()[r * width + c];
}

void copy_linear(const Linear& from, const Indices& rows, const Indices& cols, const Linear& to) {
  copy(from.weight.value, rows, cols, to.weight.value);
  copy(from.bias.value, rows, {0}, to.bias.value);
}

// What each layer keeps.
struct Plan {
  std::vector<Indices> heads, neurons;
};

// The values of `to` are those that the plan leaves of `from`.
void cut(const Model& from, const Plan& plan, const Model& to) {
  const int64_t size = from.config.head_size();
  const Indices hidden = all_of(from.config.hidden_size);
  for (size_t i = 0; i < plan.heads.size(); ++i) {
    const EncoderLayer &a = from.bert->layers()[i], &b = to.bert->layers()[i];
    const Indices kept = widened(plan.heads[i], size);
    copy_linear(a.query, kept, hidden, b.query);
    copy_linear(a.key, kept, hidden, b.key);
    copy_linear(a.value, kept, hidden, b.value);
    copy_linear(a.attention_output, hidden, kept, b.attention_output);
    copy_linear(a.intermediate, plan.neurons[i], hidden, b.intermediate);
    copy_linear(a.output, hidden, plan.neurons[i], b.output);
  }
  for (const Parameter* p : to.store.all()) {
    const bool linear = p->name.starts_with("bert.encoder.") && p->name.find("LayerNorm") == std::string::npos;
    if (!linear) p->value.copy_from(from.store.at(p->name).value);
  }
}

// Masks are cut as models of ones, masked, are.
PrunedMasks cut_masks(const Model& from, const Plan& plan, const BertConfig& config) {
  Model ones(from.config, from.tokenizer), small(config, from.tokenizer);
  ones.store.lay_out();
  small.store.lay_out();
  for (float& v : ones.store.values().span<float>()) v = 1;
  hold(ones.store, from.pruned);
  bake_masks(ones.store);
  cut(ones, plan, small);
  PrunedMasks masks;
  for (const auto& [name, bits] : from.pruned) {
    const auto values = small.store.at(name).value.span<float>();
    const Tensor left = Mask::bits_of(small.store.at(name).shape, true);
    for (size_t i = 0; i < values.size(); ++i)
      if (values[i] == 0) left.span<uint8_t>()[i / 8] &= static_cast<uint8_t>(~(1U << (i % 8)));
    if (std::ranges::find(values, 0.0F) != values.end()) masks[name] = left;
  }
  return masks;
}

}  // namespace

std::unique_ptr<Model> shrink(const Model& model) {
  model.store.settle();
  BertConfig config = model.config;
  config.layer_heads.clear();
  config.layer_intermediate.clear();
  Plan plan;
  for (const EncoderLayer& layer : model.bert->layers()) {
    plan.heads.push_back(used_units(layer.attention_output.weight.value, config.head_size()));
    plan.neurons.push_back(used_units(layer.output.weight.value, 1));
    config.layer_heads.push_back(std::ssize(plan.heads.back()));
    config.layer_intermediate.push_back(std::ssize(plan.neurons.back()));
  }
  const bool same =
      std::ranges::all_of(config.layer_heads, [&](int64_t n) { return n == config.num_attention_heads; }) &&
      std::ranges::all_of(config.layer_intermediate, [&](int64_t n) { return n == config.intermediate_size; });
  if (same) config.layer_heads = config.layer_intermediate = {};
  auto small = std::make_unique<Model>(config, model.tokenizer);
  small->store.lay_out();
  cut(model, plan, *small);
  if (!model.pruned.empty()) small->pruned = cut_masks(model, plan, config);
  small->options = model.options;
  small->source = model.source;
  return small;
}

}  // namespace espalier
