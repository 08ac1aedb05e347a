// SPDX-License-Identifier: Apache-2.0
// BERT as a graph.
#include "data/models/onnx_export.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "core/check.h"
#include "data/files/atomic_file.h"
#include "data/files/atomic_folder.h"
#include "data/models/model_files.h"
#include "data/models/onnx_graph.h"
#include "data/models/onnx_linear.h"
#include "nn/heads/pooled_head.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Value = OnnxGraph::Value;
using Ints = std::vector<int64_t>;

class BertGraph {
 public:
  explicit BertGraph(const Model& model) : config_(model.config), linear_(graph_) {
    const Encoder& encoder = model.bert->encoder();
    const OnnxGraph::Dimensions tokens = {"batch", "length"};
    const Value ids = graph_.input("input_ids", tokens), mask = graph_.input("attention_mask", tokens),
                segments = graph_.input("token_type_ids", tokens);
    Value x = embeddings(encoder, ids, segments);
    const Value bias = attention_bias(mask);
    int64_t number = 0;
    for (const EncoderLayer& layer : encoder.layers()) {
      const std::string scope = "/encoder/layer." + std::to_string(number++);
      x = this->layer(layer, x, bias, scope, &layer == &encoder.layers().back());
    }
    head(model, x);
  }

  const OnnxGraph& graph() const { return graph_; }

 private:
  Value plain(const Parameter& p) {
    return graph_.constant(p.name, p.shape, DType::f32, [&p] { return p.value; });
  }
  Value norm(const Value& x, const LayerNorm& norm) {
    return graph_.op("LayerNormalization", {x, plain(norm.weight), plain(norm.bias)},
                     {{"axis", int64_t{-1}}, {"epsilon", config_.layer_norm_eps}});
  }
  // Rows of a table that may be integers with a scale each.
  Value gather(const Parameter& table, const Value& ids) {
    const auto integers = table.integers();
    if (integers == nullptr) return graph_.op("Gather", {plain(table), ids});
    const Value q = graph_.constant(table.name, table.shape, DType::s8, [integers] { return integers->q(); });
    const Value scales = graph_.constant(table.name + ".scale", integers->grid().scale.reshaped({table.shape[0], 1}));
    const Value real = graph_.op("Cast", {graph_.op("Gather", {q, ids})}, {{"to", int64_t{1}}});
    return graph_.op("Mul", {real, graph_.op("Gather", {scales, ids})});
  }

  Value embeddings(const Encoder& encoder, const Value& ids, const Value& segments) {
    graph_.enter("/embeddings");
    const Value words = gather(encoder.word_embeddings(), ids);
    const Value length = graph_.op("Slice", {graph_.op("Shape", {ids}), graph_.integers({1}), graph_.integers({2})});
    const Value positions =
        graph_.op("Slice", {plain(encoder.position_embeddings()), graph_.integers({0}), length, graph_.integers({0})});
    const Value sum = graph_.op("Add", {words, positions});
    return norm(graph_.op("Add", {sum, gather(encoder.segment_embeddings(), segments)}), encoder.embedding_norm());
  }

  // [batch, 1, 1, length]: 0, and for padding what no score can outweigh.
  Value attention_bias(const Value& mask) {
    graph_.enter("/mask");
    const Value wide = graph_.op("Unsqueeze", {mask, graph_.integers({1, 2})});
    const Value kept = graph_.op("Cast", {wide}, {{"to", int64_t{1}}});
    const Value padding = graph_.op("Sub", {graph_.scalar(1.0F), kept});
    return graph_.op("Mul", {padding, graph_.scalar(std::numeric_limits<float>::lowest())});
  }

  // [batch, tokens, A D] as heads.
  Value heads(const Value& x, int64_t count, const Ints& order) {
    const Value split = graph_.op("Reshape", {x, graph_.integers({0, 0, count, config_.head_size()})});
    return graph_.op("Transpose", {split}, {{"perm", order}});
  }

  // `from`: the tokens whose context is wanted.
  Value attention(const EncoderLayer& layer, const Value& x, const Value& from, const Value& bias) {
    const auto factor = static_cast<float>(1 / std::sqrt(static_cast<double>(config_.head_size())));
    const Value q = heads(linear_(from, layer.query, {.factor = factor}), layer.heads, {0, 2, 1, 3});
    const Value k = heads(linear_(x, layer.key), layer.heads, {0, 2, 3, 1});
    const Value v = heads(linear_(x, layer.value), layer.heads, {0, 2, 1, 3});
    const Value scores = graph_.op("Add", {graph_.op("MatMul", {q, k}), bias});
    const Value context = graph_.op("MatMul", {graph_.op("Softmax", {scores}, {{"axis", int64_t{-1}}}), v});
    const Value together = graph_.op("Transpose", {context}, {{"perm", Ints{0, 2, 1, 3}}});
    return graph_.op("Reshape", {together, graph_.integers({0, 0, layer.heads * config_.head_size()})});
  }

  Value gelu(const Value& x) {
    const Value erf = graph_.op("Erf", {graph_.op("Div", {x, graph_.scalar(std::sqrt(2.0F))})});
    const Value twice = graph_.op("Mul", {x, graph_.op("Add", {erf, graph_.scalar(1.0F)})});
    return graph_.op("Mul", {twice, graph_.scalar(0.5F)});
  }

  // Of the last layer only the first token goes on: the heads read no other one.
  Value layer(const EncoderLayer& layer, const Value& x, const Value& bias, const std::string& scope, bool last) {
    graph_.enter(scope + "/attention");
    const Value from =
        last ? graph_.op("Slice", {x, graph_.integers({0}), graph_.integers({1}), graph_.integers({1})}) : x;
    const Value context = linear_(attention(layer, x, from, bias), layer.attention_output);
    const Value attended = norm(graph_.op("Add", {context, from}), layer.attention_norm);
    graph_.enter(scope + "/feed_forward");
    const Value wide = gelu(linear_(attended, layer.intermediate));
    return norm(graph_.op("Add", {linear_(wide, layer.output, {.hardly_negative = true}), attended}),
                layer.output_norm);
  }

  void head(const Model& model, const Value& x) {
    const auto* const pooled = dynamic_cast<const PooledHead*>(&model.bert->head());
    CHECK(pooled != nullptr, model.source, ": the head '", config_.head,
          "' has no form in ONNX; expected one that reads the first token, such as classification");
    graph_.enter("/head");
    const Value first = graph_.op("Squeeze", {x, graph_.integers({1})});
    const Value pooler = graph_.op("Tanh", {linear_(first, pooled->pooler())});
    const Linear& classifier = pooled->classifier();
    const Value product = linear_(pooler, classifier);
    graph_.op("Identity", {product}, {}, "logits");
    graph_.output("logits", {"batch", pooled->width()});
  }

  const BertConfig& config_;
  OnnxGraph graph_;
  OnnxLinear linear_;
};

}  // namespace

Exported export_onnx(const Model& model, const fs::path& directory, int64_t largest) {
  model.store.settle();
  const BertGraph bert(model);
  const bool split = bert.graph().bytes() > largest;
  // transformers.js looks for model_quantized.onnx unless it is told otherwise.
  nlohmann::json for_js = {{"dtype", "fp32"}};
  if (split) for_js["use_external_data_format"] = true;
  const auto files = model_files(model, {{"transformers.js_config", for_js}});
  AtomicFolder folder(directory, is_exported_file);
  for (const auto& [name, text] : files) write_file(folder.temporary() / name, text);
  bert.graph().write(folder.make("onnx") / "model.onnx", split);
  const int64_t bytes = folder.bytes();
  folder.commit();
  return {bytes, {"ONNX Runtime, OpenVINO and Optimum read it, int8 as int8"}};
}

}  // namespace espalier
