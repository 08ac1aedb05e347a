// SPDX-License-Identifier: Apache-2.0
// Pruner against torch.nn.utils.prune, and its structures.
#include "compress/pruning/pruner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/pattern.h"
#include "tests/compress/pruning/small_model.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

void expect_golden(const Model& model, const std::string& name) {
  static const golden::File file("pruning.txt");
  for (const EncoderLayer& layer : model.bert->layers())
    for (const Linear* linear : layer.linears()) {
      const auto bits = mask_of(linear->weight).bits().span<uint8_t>();
      const std::vector<double> found(bits.begin(), bits.end());
      EXPECT_EQ(found, file.at(name + "/" + linear->weight.name)) << name << ' ' << linear->weight.name;
    }
  const auto texts = nlohmann::json::parse(read_bytes(small_model / "expected.json"))["texts"];
  ASSERT_EQ(texts.size(), 4U);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto found = logits(model, texts[i]["ids"].get<std::vector<int32_t>>());
    const auto& wanted = file.at(name + "/logits" + std::to_string(i));
    ASSERT_EQ(found.size(), wanted.size());
    for (size_t c = 0; c < wanted.size(); ++c) EXPECT_NEAR(found[c], wanted[c], 1e-5) << name << i;
  }
}

TEST(Pruner, AgreesWithPyTorch) {
  for (const double amount : {0.3, 0.77})
    for (const RankingScope scope : {RankingScope::layer, RankingScope::global}) {
      const auto model = open_model(small_model.string());
      Pruner pruner({.amount = amount, .scope = scope});
      pruner.attach(*model->bert, model->store);
      pruner.before_forward(0);
      expect_golden(*model, text_of(scope) + (amount == 0.3 ? "0.3" : "0.77"));
    }
}

TEST(Pruner, GivenMasksAgreeWithPyTorch) {
  const auto model = open_model(small_model.string());
  for (const EncoderLayer& layer : model->bert->layers())
    for (const Linear* linear : layer.linears()) {
      const Parameter& p = linear->weight;
      const Tensor numbers = golden::uniform(p.name, 5, p.shape), bits = Mask::bits_of(p.shape, false);
      for (int64_t i = 0; i < p.shape.size(); ++i)
        if (numbers.data<double>()[i] > -0.8) bits.data<uint8_t>()[i / 8] |= static_cast<uint8_t>(1U << (i % 8));
      mask_of(linear->weight).set(bits);
    }
  expect_golden(*model, "given");
}

// What went before counts, also where it is more than the limit lets go now.
TEST(Pruner, ASecondPruningWithALayerLimitReachesItsAmount) {
  const auto model = open_model(small_model.string());
  Pruner first({.amount = 0.8, .layers = {"bert.encoder.layer.0.*.weight"}});
  first.attach(*model->bert, model->store);
  first.before_forward(0);
  Pruner second({.amount = 0.5, .scope = RankingScope::global, .layer_limit = 0.6});
  second.attach(*model->bert, model->store);
  EXPECT_LT(second.sparsity(), 0.45);
  second.before_forward(0);
  EXPECT_NEAR(second.sparsity(), 0.5, 1e-4);
}

TEST(Pruner, ReachesTheAmountToOneWeight) {
  for (const std::string method : {"magnitude", "random"})
    for (const double amount : {0.0, 0.5, 0.801, 0.98}) {
      const Pruned each({.method = method, .amount = amount});
      int64_t kept = 0, all = 0;
      for (const Pool& pool : each.pruner.pools()) {
        const Mask& mask = mask_of(*pool.members[0].parameter);
        EXPECT_EQ(mask.size() - mask.kept(), count_of(amount, mask.size())) << pool.name;
      }
      const Pruned global({.method = method, .amount = amount, .scope = RankingScope::global});
      for (const Pool& pool : global.pruner.pools()) {
        kept += mask_of(*pool.members[0].parameter).kept();
        all += pool.units;
      }
      EXPECT_EQ(all - kept, count_of(amount, all));
    }
}

TEST(Pruner, RandomDependsOnTheSeedOnly) {
  const Pruned a({.method = "random", .amount = 0.5, .seed = 1}), b({.method = "random", .amount = 0.5, .seed = 1}),
      c({.method = "random", .amount = 0.5, .seed = 2});
  const auto bits = [](const Pruned& p) {
    const auto s = p.mask("0.output.dense.weight").bits().span<uint8_t>();
    return std::vector<uint8_t>(s.begin(), s.end());
  };
  EXPECT_EQ(bits(a), bits(b));
  EXPECT_NE(bits(a), bits(c));
}

TEST(Pruner, TwoOfFourKeepsTheLargestOfEachFour) {
  const Pruned p({.structure = "2:4"});
  const Parameter& w = p.parameter("1.intermediate.dense.weight");
  const Mask& mask = p.mask("1.intermediate.dense.weight");
  for (int64_t first = 0; first < w.shape.size(); first += 4) {
    float least_kept = 1e9F, most_pruned = 0;
    int kept = 0;
    for (int64_t i = first; i < first + 4; ++i) {
      const float size = std::abs(w.value.data<float>()[i]);
      kept += mask.keeps(i) ? 1 : 0;
      (mask.keeps(i) ? least_kept : most_pruned) =
          mask.keeps(i) ? std::min(least_kept, size) : std::max(most_pruned, size);
    }
    EXPECT_EQ(kept, 2);
    EXPECT_GE(least_kept, most_pruned);
  }
}

TEST(Pruner, BlocksGoAsAWholeByTheirSum) {
  const Pruned p({.amount = 0.5, .structure = "block:4x2"});
  const Parameter& w = p.parameter("0.output.dense.weight");
  const Mask& mask = p.mask("0.output.dense.weight");
  double least_kept = 1e9, most_pruned = 0;
  int64_t pruned = 0;
  const int64_t cols = w.shape[1];
  for (int64_t r = 0; r < w.shape[0]; r += 4)
    for (int64_t c = 0; c < cols; c += 2) {
      double sum = 0;
      int kept = 0;
      for (int64_t i = 0; i < 8; ++i) {
        const int64_t at = (r + i / 2) * cols + c + i % 2;
        sum += std::abs(static_cast<double>(w.value.data<float>()[at]));
        kept += mask.keeps(at) ? 1 : 0;
      }
      ASSERT_TRUE(kept == 0 || kept == 8);
      pruned += kept == 0 ? 1 : 0;
      if (kept == 0)
        most_pruned = std::max(most_pruned, sum);
      else
        least_kept = std::min(least_kept, sum);
    }
  EXPECT_EQ(pruned, count_of(0.5, w.shape.size() / 8));
  EXPECT_GE(least_kept, most_pruned - 1e-6);
}

TEST(Pruner, HeadsGoWithAllTheirMatricesAndBiases) {
  const Pruned p({.amount = 0.5, .structure = "head", .layers = {"bert.encoder.layer.1.*"}});
  ASSERT_EQ(p.pruner.pools().size(), 1U) << "the pattern names one layer";
  const BertConfig& c = p.model->config;
  const int64_t size = c.head_size(), hidden = c.hidden_size;
  int64_t pruned = 0;
  for (int64_t h = 0; h < c.num_attention_heads; ++h) {
    const bool kept = p.mask("1.attention.self.query.bias").keeps(h * size);
    pruned += kept ? 0 : 1;
    for (int64_t d = h * size; d < (h + 1) * size; ++d)
      for (int64_t i = 0; i < hidden; ++i) {
        for (const std::string part : {"query", "key", "value"}) {
          EXPECT_EQ(p.mask("1.attention.self." + part + ".weight").keeps(d * hidden + i), kept);
          EXPECT_EQ(p.mask("1.attention.self." + part + ".bias").keeps(d), kept);
        }
        EXPECT_EQ(p.mask("1.attention.output.dense.weight").keeps(i * hidden + d), kept);
      }
  }
  EXPECT_EQ(pruned, count_of(0.5, c.num_attention_heads));
}

TEST(Pruner, NeuronsGoWithBothMatricesAndTheLastOneStays) {
  const Pruned p({.amount = 0.75, .structure = "neuron"});
  const int64_t width = p.model->config.intermediate_size, hidden = p.model->config.hidden_size;
  int64_t pruned = 0;
  for (int64_t n = 0; n < width; ++n) {
    const bool kept = p.mask("0.intermediate.dense.bias").keeps(n);
    pruned += kept ? 0 : 1;
    for (int64_t i = 0; i < hidden; ++i) {
      EXPECT_EQ(p.mask("0.intermediate.dense.weight").keeps(n * hidden + i), kept);
      EXPECT_EQ(p.mask("0.output.dense.weight").keeps(i * width + n), kept);
    }
  }
  EXPECT_EQ(pruned, count_of(0.75, width));
  expect_in(error_of<Error>([] { const Pruned all({.amount = 0.999, .structure = "neuron"}); }), "at most");
}

TEST(Pruner, PruningTwiceCombines) {
  const auto model = open_model(small_model.string());
  Pruner first({.method = "random", .amount = 0.4}), second({.amount = 0.6});
  first.attach(*model->bert, model->store);
  first.before_forward(0);
  Parameter& w = model->store.at("bert.encoder.layer.0.output.dense.weight");
  const Tensor before = mask_of(w).bits().clone();
  second.attach(*model->bert, model->store);
  second.before_forward(0);
  for (int64_t i = 0; i < w.shape.size(); ++i)
    EXPECT_TRUE((before.data<uint8_t>()[i / 8] >> (i % 8) & 1) != 0 || !mask_of(w).keeps(i)) << "pruned stays pruned";
  EXPECT_EQ(w.shape.size() - mask_of(w).kept(), count_of(0.6, w.shape.size())) << "the amount is of the whole tensor";
}

TEST(Pruner, RowScopeTakesTheSameShareOfEachRow) {
  const Pruned each({.amount = 0.3, .scope = RankingScope::row});
  for (const Pool& pool : each.pruner.pools()) {
    const Parameter& p = *pool.members[0].parameter;
    for (int64_t r = 0; r < p.shape.rows(); ++r) {
      int64_t pruned = 0;
      float smallest_kept = INFINITY, largest_pruned = 0;
      for (int64_t i = r * p.shape.cols(); i < (r + 1) * p.shape.cols(); ++i) {
        const bool kept = mask_of(*pool.members[0].parameter).keeps(i);
        pruned += !kept;
        const float size = std::abs(p.value.data<float>()[i]);
        (kept ? smallest_kept : largest_pruned) = kept ? std::min(smallest_kept, size) : std::max(largest_pruned, size);
      }
      EXPECT_EQ(pruned, count_of(0.3, p.shape.cols()));
      EXPECT_LE(largest_pruned, smallest_kept);
    }
  }
}

TEST(Pruner, PatternsNameParametersAndOneThatNamesNoneIsAnError) {
  const Pruned p({.amount = 0.5, .layers = {"bert.encoder.layer.0.*dense.weight", "classifier.weight"}});
  std::vector<std::string> names;
  for (const Pool& pool : p.pruner.pools()) names.push_back(pool.name);
  EXPECT_EQ(names, (std::vector<std::string>{"weights of bert.encoder.layer.0.attention.output.dense.weight",
                                             "weights of bert.encoder.layer.0.intermediate.dense.weight",
                                             "weights of bert.encoder.layer.0.output.dense.weight",
                                             "weights of classifier.weight"}));
  expect_in(error_of<Error>([] {
              const Pruned none({.amount = 0.5, .layers = {"*", "bert.encoder.layer.9.*"}});
            }),
            "the layer pattern 'bert.encoder.layer.9.*' matches no parameter");
  expect_in(error_of<Error>([] { const Pruned none({.amount = 0.5, .structure = "head", .layers = {"pooler*"}}); }),
            "'pooler*' matches no matrix of attention heads");
  EXPECT_TRUE(matches("*.layer.1*.weight", "bert.encoder.layer.11.output.dense.weight"));
  EXPECT_FALSE(matches("*.layer.1.*.weight", "bert.encoder.layer.11.output.dense.weight"));
  EXPECT_FALSE(matches("bert", "bert.encoder"));
}

}  // namespace
}  // namespace espalier
