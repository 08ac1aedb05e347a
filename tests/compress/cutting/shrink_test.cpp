// SPDX-License-Identifier: Apache-2.0
// Shrinking: the same logits from smaller tensors, which save, reload and train on.
#include "compress/cutting/shrink.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/pruning/pruner.h"
#include "compress/report.h"
#include "optim/optimizer.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

PackedBatch batch_of_two() {
  PackedBatch batch;
  batch.ids = {2, 9, 8, 3, 2, 5, 8, 7, 11, 3};
  batch.segments.assign(10, 0);
  batch.offsets = {0, 4, 10};
  batch.labels = {1, 0};
  return batch;
}

std::vector<float> logits(const Model& model) {
  Context context;
  const Var y = (*model.bert)(batch_of_two(), context);
  const auto values = y.value.span<float>();
  return {values.begin(), values.end()};
}

// Heads or neurons or both of a model with several of each.
std::unique_ptr<Model> pruned(double heads, double neurons, RankingScope scope) {
  auto model = open_model("random:tiny", {.seed = 4});
  for (const auto& [structure, amount] : {std::pair("head", heads), std::pair("neuron", neurons)}) {
    if (amount == 0) continue;
    Pruner pruner({.amount = amount, .structure = structure, .scope = scope});
    pruner.attach(*model->bert, model->store);
    pruner.before_forward(0);
  }
  bake_masks(model->store);
  return model;
}

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance);
}

TEST(Shrink, ComputesTheSameWithLess) {
  for (const RankingScope scope : {RankingScope::layer, RankingScope::global}) {
    const auto model = pruned(0.5, 0.6, scope);
    const auto small = shrink(*model);
    expect_near(logits(*small), logits(*model), 1e-5);
    int64_t heads = 0, neurons = 0;
    for (int64_t i = 0; i < small->config.num_hidden_layers; ++i) {
      heads += small->config.heads_of(i);
      neurons += small->config.intermediate_of(i);
      EXPECT_GE(small->config.heads_of(i), 1);
    }
    EXPECT_EQ(heads, 2) << "of four";
    EXPECT_EQ(neurons, 1024 - count_of(0.6, 1024));
    EXPECT_TRUE(masks_of(small->store).empty()) << "no zero is left to hold";
    const PartReport before = sum_of(report_of(*model, 16)), after = sum_of(report_of(*small, 16));
    EXPECT_LT(after.parameters, before.parameters);
    EXPECT_LT(after.flop, 0.65 * before.flop);
    EXPECT_EQ(after.zeros, before.zeros - (before.parameters - after.parameters)) << "only zeros went";
  }
}

TEST(Shrink, SavesReloadsAndTrainsOn) {
  const TemporaryFolder folder;
  const fs::path path = folder / "small.h5";
  const auto small = shrink(*pruned(0, 0.75, RankingScope::global));
  save_checkpoint(path, small->store, small->contents());
  const auto again = open_model(path.string());
  EXPECT_EQ(again->config.layer_intermediate, small->config.layer_intermediate);
  EXPECT_EQ(logits(*again), logits(*small));

  Optimizer optimizer(again->store, {});
  double first = 0, last = 0;
  for (int step = 0; step < 30; ++step) {
    const PackedBatch batch = batch_of_two();
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 1, .step = static_cast<uint64_t>(step)};
    const Var loss = ops::cross_entropy((*again->bert)(batch, context), batch.labels, 2);
    tape.backward(loss);
    optimizer.step(1e-3, 1);
    (step == 0 ? first : last) = static_cast<double>(*loss.value.data<float>());
  }
  EXPECT_LT(last, 0.5 * first);
}

TEST(Shrink, OtherZerosStayPrunedAndDenseModelsStayAsTheyAre) {
  const auto dense = open_model("random:tiny", {.seed = 4});
  const auto same = shrink(*dense);
  EXPECT_TRUE(same->config.layer_heads.empty());
  EXPECT_EQ(logits(*same), logits(*dense));

  const auto model = pruned(0, 0.5, RankingScope::layer);
  Pruner weights({.amount = 0.9});
  weights.attach(*model->bert, model->store);
  weights.before_forward(0);
  bake_masks(model->store);
  const auto small = shrink(*model);
  expect_near(logits(*small), logits(*model), 1e-5);
  const std::string name = "bert.encoder.layer.0.intermediate.dense.weight";
  const Parameter& w = small->store.at(name);
  const PrunedMasks masks = masks_of(small->store);
  ASSERT_TRUE(masks.contains(name));
  const Mask& mask = *find_mask(w);
  for (int64_t i = 0; i < w.shape.size(); ++i) EXPECT_EQ(mask.keeps(i), w.value.data<float>()[i] != 0);
  EXPECT_FALSE(masks.contains("bert.encoder.layer.0.intermediate.dense.bias")) << "zero, but not pruned";
}

TEST(Shrink, ALayerWithoutAnyHeadKeepsOne) {
  const auto model = open_model("random:tiny", {.seed = 4});
  const Tensor& w = model->store.at("bert.encoder.layer.1.attention.output.dense.weight").value;
  w.fill_zero();
  const auto small = shrink(*model);
  EXPECT_EQ(small->config.layer_heads, (std::vector<int64_t>{2, 1}));
  expect_near(logits(*small), logits(*model), 1e-5);
}

TEST(Shrink, ConfigurationsThatDoNotFitAreErrors) {
  BertConfig config = BertConfig::of_size("tiny");
  config.layer_heads = {1};
  expect_in(error_of<Error>([&] { config.check("m"); }), "has 1 numbers, expected one for each of the 2 layers");
  config.layer_heads = {1, 3};
  expect_in(error_of<Error>([&] { config.check("m"); }), "attention_heads of pruned_layers is 3, expected 1 … 2");
  config.layer_heads = {};
  config.layer_intermediate = {512, 0};
  expect_in(error_of<Error>([&] { config.check("m"); }), "intermediate_size of pruned_layers is 0");
}

}  // namespace
}  // namespace espalier
