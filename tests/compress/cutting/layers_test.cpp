// SPDX-License-Identifier: Apache-2.0
// Layers cut out: the same numbers as a model that never had them; what is left saves, reloads, shrinks and trains on.
#include "compress/cutting/layers.h"

#include <gtest/gtest.h>

#include "compress/cutting/shrink.h"
#include "compress/pruning/pruner.h"
#include "compress/report.h"
#include "optim/optimizer.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

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
  const auto values = (*model.bert)(batch_of_two(), context).value;
  return {values.span<float>().begin(), values.span<float>().end()};
}

// The pruner's choice, put into the values, as prune does it.
void prune(Model& model, const PruneOptions& options) {
  Pruner pruner(options);
  pruner.attach(*model.bert, model.store);
  pruner.before_forward(0);
  bake_masks(model.store);
}

// The values of a layer become `factor` times as large.
void scale(const Model& model, int64_t layer, float factor) {
  for (const Linear* linear : model.bert->layers()[static_cast<size_t>(layer)].linears())
    for (float& v : linear->weight.value.span<float>()) v *= factor;
}

TEST(Layers, EqualAModelThatIsMadeOfTheOthers) {
  const auto model = open_model("random:mini", {.seed = 4});
  ASSERT_EQ(model->config.num_hidden_layers, 4);
  BertConfig config = model->config;
  config.num_hidden_layers = 2;
  Model by_hand(config, model->tokenizer);
  by_hand.store.lay_out();
  for (const Parameter* p : by_hand.store.all()) {
    std::string name = p->name;
    for (const auto& [now, before] : {std::pair("layer.0.", "layer.3."), std::pair("layer.1.", "layer.0.")})
      if (const size_t at = p->name.find(now); at != std::string::npos)
        name = std::string(p->name).replace(at, 8, before);
    p->value.copy_from(model->store.at(name).value);
  }
  const std::vector<int64_t> last_and_first = {3, 0}, first_and_last = {0, 3}, middle = {2, 1}, all = {0, 1, 2, 3};
  EXPECT_EQ(logits(*keep_layers(*model, last_and_first)), logits(by_hand));
  EXPECT_NE(logits(*model), logits(by_hand));
  EXPECT_EQ(logits(*drop_layers(*model, middle)), logits(*keep_layers(*model, first_and_last)));
  EXPECT_NE(logits(*drop_layers(*model, middle)), logits(by_hand)) << "those that stay keep their order";
  EXPECT_EQ(logits(*keep_layers(*model, all)), logits(*model));
}

TEST(Layers, NumbersTenAndAboveAreNotMistakenForOne) {
  BertConfig config = BertConfig::of_size("tiny");
  const auto tiny = open_model("random:tiny");
  config.vocab_size = tiny->config.vocab_size;
  config.num_hidden_layers = 12;
  Model model(config, tiny->tokenizer);
  model.store.allocate(5);
  const std::vector<int64_t> layers = {1, 11};
  const auto small = keep_layers(model, layers);
  for (const auto& [now, before] : {std::pair("0", "1"), std::pair("1", "11")}) {
    const std::string prefix = "bert.encoder.layer.", rest = ".output.dense.weight";
    const auto a = small->store.at(prefix + now + rest).value.span<float>();
    const auto b = model.store.at(prefix + before + rest).value.span<float>();
    EXPECT_TRUE(std::ranges::equal(a, b)) << now;
  }
}

TEST(Layers, TakeTheirMasksAndSizesAlong) {
  auto model = open_model("random:mini", {.seed = 4});
  prune(*model, {.amount = 0.5, .layers = {"bert.encoder.layer.2.*.weight"}});
  prune(*model, {.amount = 0.5, .structure = "neuron", .layers = {"bert.encoder.layer.3.*"}});
  model = shrink(*model);
  ASSERT_EQ(model->config.layer_intermediate, (std::vector<int64_t>{1024, 1024, 1024, 512}));
  const std::vector<int64_t> layers = {3, 2};
  const auto small = keep_layers(*model, layers);
  EXPECT_EQ(small->config.layer_intermediate, (std::vector<int64_t>{512, 1024}));
  EXPECT_EQ(small->config.layer_heads, (std::vector<int64_t>{4, 4}));
  const PrunedMasks pruned = masks_of(small->store);
  ASSERT_EQ(pruned.size(), 8U) << "six matrices and two layer norms";
  for (const auto& [name, bits] : pruned) {
    ASSERT_TRUE(name.starts_with("bert.encoder.layer.1.")) << name;
    const Tensor& value = small->store.at(name).value;
    Mask mask(value.shape());
    mask.set(bits);
    EXPECT_EQ(mask.kept(), mask.size() / 2);
    for (int64_t i = 0; i < value.size(); ++i) EXPECT_TRUE(mask.keeps(i) || value.data<float>()[i] == 0);
  }
  const TemporaryFolder folder;
  save_checkpoint(folder / "m.h5", small->store, small->contents());
  const auto again = open_model((folder / "m.h5").string());
  EXPECT_EQ(logits(*again), logits(*small));
  EXPECT_EQ(masks_of(again->store).size(), 8U);
}

TEST(Layers, WhatIsLeftTrainsOnAndShrinks) {
  const auto model = open_model("random:mini", {.seed = 4});
  const std::vector<int64_t> dropped = {1, 2};
  const auto small = drop_layers(*model, dropped);
  EXPECT_LT(sum_of(report_of(*small, 16)).flop, 0.6 * sum_of(report_of(*model, 16)).flop);
  Optimizer optimizer(small->store, {});
  double first = 0, last = 0;
  for (int step = 0; step < 15; ++step) {
    const PackedBatch batch = batch_of_two();
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 1, .step = static_cast<uint64_t>(step)};
    const Var loss = ops::cross_entropy((*small->bert)(batch, context), batch.labels, 2);
    tape.backward(loss);
    optimizer.step(1e-3, 1);
    (step == 0 ? first : last) = static_cast<double>(*loss.value.data<float>());
  }
  EXPECT_LT(last, 0.5 * first);
  prune(*small, {.amount = 0.5, .structure = "head"});
  const auto narrow = shrink(*small);
  EXPECT_EQ(narrow->config.layer_heads, (std::vector<int64_t>{2, 2}));
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(logits(*narrow)[i], logits(*small)[i], 1e-5);
}

TEST(Layers, ThePrunersChoiceIsCutOut) {
  for (const std::string method : {"magnitude", "random"}) {
    const auto model = open_model("random:mini", {.seed = 4});
    scale(*model, 1, 0.5F);  // these two matter least
    scale(*model, 2, 0.7F);
    const auto dense = logits(*model);
    PruneOptions options{.method = method, .amount = 0.25, .structure = "layer", .seed = 3};
    options.check();
    prune(*model, options);
    const auto three = keep_layers(*model, layers_left(*model));
    EXPECT_EQ(three->config.num_hidden_layers, 3) << method;
    EXPECT_TRUE(masks_of(three->store).empty()) << "nothing of the others is masked";
    EXPECT_NE(logits(*three), dense);
    options.amount = 0.5;
    prune(*model, options);  // the one that went counts towards the amount
    EXPECT_EQ(layers_left(*model).size(), 2U) << method;
    if (method == "magnitude") { EXPECT_EQ(layers_left(*model), (std::vector<int64_t>{0, 3})); }
  }
}

TEST(Layers, OneLayerStays) {
  const auto model = open_model("random:tiny");
  expect_in(error_of<Error>([&] { prune(*model, {.amount = 0.9, .structure = "layer"}); }), "use a smaller amount");
  EXPECT_EQ(layers_left(*model).size(), 2U);
}

TEST(Layers, OfAHuggingFaceFolder) {
  const auto model = open_model(std::string(ESPALIER_TESTS_DIR) + "/golden/hf_model");
  const std::vector<int64_t> first = {0}, second = {1};
  EXPECT_EQ(logits(*drop_layers(*model, first)), logits(*keep_layers(*model, second)));
  EXPECT_NE(logits(*drop_layers(*model, first)), logits(*keep_layers(*model, first)));
}

TEST(Layers, MistakesAreErrors) {
  const auto model = open_model("random:tiny");
  const auto keep = [&](std::vector<int64_t> layers) { return error_of<Error>([&] { keep_layers(*model, layers); }); };
  const auto drop = [&](std::vector<int64_t> layers) { return error_of<Error>([&] { drop_layers(*model, layers); }); };
  expect_in(keep({}), "none of 2 would be left");
  expect_in(drop({1, 0}), "none of 2 would be left");
  for (const auto& error : {keep({0, 5}), drop({0, 5})})
    expect_in(error, "layers: 5 is out of range; the model has the layers 0 to 1");
  expect_in(drop({-1}), "layers: -1 is out of range");
  for (const auto& error : {keep({1, 1}), drop({1, 1})}) expect_in(error, "layers: 1 is named twice");
  const PruneOptions named{.amount = 0.5, .structure = "layer", .layers = {"bert.encoder.layer.1.*"}};
  expect_in(error_of<Error>([&] { named.check(); }), "--layers");
}

}  // namespace
}  // namespace espalier
