// SPDX-License-Identifier: Apache-2.0
// Counted by hand; docs/measure/flops.py compares with PyTorch's counter.
#include "compress/complexity.h"

#include <gtest/gtest.h>

namespace espalier {
namespace {

std::unique_ptr<Model> model_of(const BertConfig& config) {
  auto model = std::make_unique<Model>(config, Tokenizer({"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"}, {}));
  model->store.allocate(1, 0.02F);
  return model;
}

BertConfig config_of(int64_t d, int64_t heads, int64_t layers) {
  BertConfig config;
  config.vocab_size = 5;
  config.hidden_size = d;
  config.num_attention_heads = heads;
  config.num_hidden_layers = layers;
  config.intermediate_size = 4 * d;
  config.max_position_embeddings = 16;
  config.labels = {"a", "b", "c"};
  return config;
}

TEST(Complexity, IsThatOfTheFormula) {
  const int64_t d = 24, layers = 3;
  const Complexity c = complexity_of(*model_of(config_of(d, 4, layers)));
  ASSERT_EQ(std::ssize(c.layers), layers);
  for (const LayerComplexity& layer : c.layers) {
    EXPECT_EQ(layer.projections, 4 * d * d);
    EXPECT_EQ(layer.feed_forward, 8 * d * d);
    EXPECT_EQ(layer.attention(7), 2 * 7 * 7 * d);
    EXPECT_EQ(layer.activations, (3 + 1 + 1 + 4 + 1) * d) << "q, k, v; attention; its output; feed-forward's two";
    EXPECT_EQ(layer.parameters, 12 * d * d + 9 * d + 4 * d) << "weights; biases; two layer norms";
    EXPECT_LE(layer.bytes, 4 * layer.parameters);
    EXPECT_GE(layer.bytes, 4 * 12 * d * d) << "weights; zero biases take a bit each";
  }
  EXPECT_EQ(c.head_macs, d * d + 3 * d);
  for (const int64_t n : {1, 8, 512})
    EXPECT_EQ(c.per_sentence(n), layers * (12 * n * d * d + 2 * n * n * d) + d * d + 3 * d);
  EXPECT_EQ(c.parameters(), layers * (12 * d * d + 13 * d) + (5 + 16 + 2) * d + 2 * d + d * d + d + 3 * d + 3);
}

TEST(Complexity, OfLayersThatWereCutIsTheirOwn) {
  BertConfig config = config_of(24, 4, 2);  // heads of 6
  config.layer_heads = {4, 1};
  config.layer_intermediate = {10, 96};
  const Complexity c = complexity_of(*model_of(config));
  EXPECT_EQ(c.layers[0].features, 24);
  EXPECT_EQ(c.layers[1].features, 6);
  EXPECT_EQ(c.layers[0].feed_forward, 2 * 24 * 10);
  EXPECT_EQ(c.layers[1].projections, 4 * 24 * 6);
  EXPECT_EQ(c.encoder().attention(5), 2 * 25 * (24 + 6));
  EXPECT_EQ(c.encoder().intermediate, 106);
}

}  // namespace
}  // namespace espalier
