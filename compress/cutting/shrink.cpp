// SPDX-License-Identifier: Apache-2.0
#include "compress/cutting/shrink.h"

#include <algorithm>

#include "compress/cutting/cut.h"

namespace espalier {
namespace {

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

void take_rows(const Linear& linear, const Indices& rows, CutParts& pieces) {
  for (const Parameter* p : {&linear.weight, &linear.bias}) pieces[p->name] = {.from = p->name, .rows = rows};
}

void take_cols(const Linear& linear, const Indices& cols, CutParts& pieces) {
  pieces[linear.weight.name] = {.from = linear.weight.name, .cols = cols};
}

}  // namespace

std::unique_ptr<Model> shrink(const Model& model) {
  model.store.settle();
  BertConfig config = model.config;
  config.layer_heads.clear();
  config.layer_intermediate.clear();
  CutParts pieces;
  for (const EncoderLayer& layer : model.bert->layers()) {
    const Indices heads = used_units(layer.attention_output.weight.value, config.head_size());
    const Indices neurons = used_units(layer.output.weight.value, 1), features = widened(heads, config.head_size());
    for (const Linear* linear : {&layer.query, &layer.key, &layer.value}) take_rows(*linear, features, pieces);
    take_cols(layer.attention_output, features, pieces);
    take_rows(layer.intermediate, neurons, pieces);
    take_cols(layer.output, neurons, pieces);
    config.layer_heads.push_back(std::ssize(heads));
    config.layer_intermediate.push_back(std::ssize(neurons));
  }
  const bool same =
      std::ranges::all_of(config.layer_heads, [&](int64_t n) { return n == config.num_attention_heads; }) &&
      std::ranges::all_of(config.layer_intermediate, [&](int64_t n) { return n == config.intermediate_size; });
  if (same) config.layer_heads = config.layer_intermediate = {};
  return cut(model, config, model.tokenizer, pieces);
}

}  // namespace espalier
