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
    const Value ids = graph_.input("input_ids", tokens), mask = graph_.input("attention_mask", tokens);
    Value x = embeddings(encoder, ids, config_.type_vocab_size > 1 ? graph_.input("token_type_ids", tokens) : "");
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

  // [length, H] or [batch, length, H]: see ops::places.
  Value positions(const Parameter& table, const Value& ids) {
    if (config_.first_position == 0) {
      const Value length = graph_.op("Slice", {graph_.op("Shape", {ids}), graph_.integers({1}), graph_.integers({2})});
      return graph_.op("Slice", {plain(table), graph_.integers({0}), length, graph_.integers({0})});
    }
    const Value padding = graph_.integers({config_.first_position - 1});
    const Value counts =
        graph_.op("Cast", {graph_.op("Not", {graph_.op("Equal", {ids, padding})})}, {{"to", int64_t{7}}});
    const Value places = graph_.op("Mul", {graph_.op("CumSum", {counts, graph_.integers({1})}), counts});
    return graph_.op("Gather", {plain(table), graph_.op("Add", {places, padding})});
  }

  // `segments` is empty where there are no two of them.
  Value embeddings(const Encoder& encoder, const Value& ids, const Value& segments) {
    graph_.enter("/embeddings");
    const Value words = gather(encoder.word_embeddings(), ids);
    Value sum = graph_.op("Add", {words, positions(encoder.position_embeddings(), ids)});
    if (const Parameter* const table = encoder.segment_embeddings())
      sum = graph_.op("Add", {sum, segments.empty() ? plain(*table) : gather(*table, segments)});
    const Value x = norm(sum, encoder.embedding_norm());
    return encoder.projection() ? linear_(x, *encoder.projection()) : x;
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

  Value activation(const Value& x, Activation f) {
    switch (f) {
      case Activation::none:
        return x;
      case Activation::gelu:
        return gelu(x);
      case Activation::relu:
        return graph_.op("Relu", {x});
      case Activation::silu:
        return graph_.op("Mul", {x, graph_.op("Sigmoid", {x})});
      case Activation::gelu_new:
        break;
    }
    const Value cube = graph_.op("Mul", {graph_.op("Mul", {x, x}), x});
    const Value inner = graph_.op("Add", {x, graph_.op("Mul", {cube, graph_.scalar(0.044715F)})});
    const Value tanh = graph_.op("Tanh", {graph_.op("Mul", {inner, graph_.scalar(0.79788456F)})});
    return graph_.op("Mul",
                     {graph_.op("Mul", {x, graph_.op("Add", {tanh, graph_.scalar(1.0F)})}), graph_.scalar(0.5F)});
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
    const Value wide = activation(linear_(attended, layer.intermediate), config_.activation);
    return norm(graph_.op("Add", {linear_(wide, layer.output, {.hardly_negative = true}), attended}),
                layer.output_norm);
  }

  void head(const Model& model, const Value& x) {
    const auto* const pooled = dynamic_cast<const PooledHead*>(&model.bert->head());
    CHECK(pooled != nullptr, model.source, ": the head '", config_.head,
          "' has no form in ONNX; expected one that reads the first token, such as classification");
    graph_.enter("/head");
    const Value first = graph_.op("Squeeze", {x, graph_.integers({1})});
    const Value dense = linear_(first, pooled->pooler());
    const Value pooler = pooled->pool() == PooledHead::Pool::tanh   ? graph_.op("Tanh", {dense})
                         : pooled->pool() == PooledHead::Pool::relu ? graph_.op("Relu", {dense})
                                                                    : gelu(dense);
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
