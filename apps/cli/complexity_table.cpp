// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/complexity_table.h"

#include <cstdio>
#include <string>

#include "core/format.h"

namespace espalier {
namespace {

std::vector<int64_t> lengths(int64_t positions) {
  std::vector<int64_t> list;
  for (const int64_t n : {8, 32, 128, 512})
    if (n <= positions) list.push_back(n);
  if (list.empty()) list.push_back(positions);
  return list;
}

double millions(int64_t n) { return static_cast<double>(n) * 1e-6; }

int64_t activation_bytes(const LayerComplexity& layer, int64_t n) { return 4 * n * layer.activations; }

Record layer_to_json(const LayerComplexity& layer, const std::vector<int64_t>& list) {
  Record attention, sentence, activations;
  for (const int64_t n : list) {
    attention.set(std::to_string(n), layer.attention(n));
    sentence.set(std::to_string(n), layer.per_sentence(n));
    activations.set(std::to_string(n), activation_bytes(layer, n));
  }
  return {{"parameters", layer.parameters},
          {"bytes", layer.bytes},
          {"attention_features", layer.features},
          {"intermediate", layer.intermediate},
          {"projection_macs_per_token", layer.projections},
          {"feed_forward_macs_per_token", layer.feed_forward},
          {"attention_macs_per_sentence", attention},
          {"macs_per_sentence", sentence},
          {"activation_bytes_per_sentence", activations}};
}

}  // namespace

void print_complexity(const Complexity& complexity, int64_t positions) {
  const std::vector<int64_t> list = lengths(positions);
  const LayerComplexity all = complexity.encoder();
  std::printf(
      "\ncomplexity: O(L (n d^2 + n^2 d)) with L = %zu layers, d = %ld, n tokens; in million multiply-"
      "accumulates (2 FLOP each)\n",
      complexity.layers.size(), complexity.hidden);
  std::printf("%-12s %12s %12s  %-22s", "layer", "projections", "feed-forward", "attention (n^2 d)");
  for (const int64_t n : list) std::printf(" %10s", ("n = " + std::to_string(n)).c_str());
  std::printf("\n");
  const auto line = [&](const std::string& name, const LayerComplexity& layer) {
    std::printf("%-12s %12.4f %12.4f  2 n^2 %-16ld", name.c_str(), millions(layer.projections),
                millions(layer.feed_forward), layer.features);
    for (const int64_t n : list) std::printf(" %10.3f", millions(layer.per_sentence(n)));
    std::printf("\n");
  };
  for (size_t i = 0; i < complexity.layers.size(); ++i) line(std::to_string(i), complexity.layers[i]);
  line("encoder", all);
  const auto row = [&](const char* name, const auto& value) {
    std::printf("%-61s", name);
    for (const int64_t n : list) std::printf(" %10.3f", value(n));
    std::printf("\n");
  };
  if (complexity.embeddings.projections > 0)
    row("embeddings", [&](int64_t n) { return millions(complexity.embeddings.per_sentence(n)); });
  row("head", [&](int64_t n) { return millions(complexity.head_work(n)); });
  row("a sentence", [&](int64_t n) { return millions(complexity.per_sentence(n)); });
  row("a token", [&](int64_t n) { return millions(complexity.per_sentence(n)) / static_cast<double>(n); });
  row("share of attention, n^2 d, in percent",
      [&](int64_t n) { return 100.0 * millions(all.attention(n)) / millions(complexity.per_sentence(n)); });
  row("activations of all layers in f32, MB", [&](int64_t n) { return millions(activation_bytes(all, n)); });
  std::printf("projections and feed-forward: a token, n d^2 in all; n = ...: a sentence\n");
}

Record complexity_to_json(const Complexity& complexity, int64_t positions) {
  const std::vector<int64_t> list = lengths(positions);
  Record layers = Record::list(), sentence, token;
  for (const LayerComplexity& layer : complexity.layers) layers.append(layer_to_json(layer, list));
  for (const int64_t n : list) {
    const int64_t macs = complexity.per_sentence(n);
    sentence.set(std::to_string(n), macs);
    token.set(std::to_string(n), static_cast<double>(macs) / static_cast<double>(n));
  }
  return {{"formula", "O(L (n d^2 + n^2 d))"},
          {"unit", "multiply-accumulates"},
          {"hidden", complexity.hidden},
          {"parameters", complexity.parameters()},
          {"bytes", complexity.bytes()},
          {"macs_per_sentence", sentence},
          {"macs_per_token", token},
          {"embedding_macs_per_token", complexity.embeddings.projections},
          {"head_macs", complexity.head_macs},
          {"encoder", layer_to_json(complexity.encoder(), list)},
          {"layers", layers}};
}

}  // namespace espalier
