// SPDX-License-Identifier: Apache-2.0
// Layers cut out: the same numbers as a model that never had them.
#include "compress/layers.h"

#include <gtest/gtest.h>

#include "compress/pruner.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

std::vector<float> logits(const Model& model) {
  PackedBatch batch;
  batch.ids = {2, 9, 8, 3, 2, 5, 8, 7, 11, 3};
  batch.segments.assign(10, 0);
  batch.offsets = {0, 4, 10};
  Context context;
  const auto values = (*model.bert)(batch, context).value;
  return {values.span<float>().begin(), values.span<float>().end()};
}

TEST(Layers, EqualAModelThatIsMadeOfTheOthers) {
  const auto model = open_model("random:mini", {.seed = 4});
  ASSERT_EQ(model->config.num_hidden_layers, 4);
  const std::vector<int64_t> layers = {3, 0};
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
  EXPECT_EQ(logits(*keep_layers(*model, layers)), logits(by_hand));
  EXPECT_NE(logits(*model), logits(by_hand));
  const std::vector<int64_t> all = {0, 1, 2, 3};
  EXPECT_EQ(logits(*keep_layers(*model, all)), logits(*model));
}

TEST(Layers, TakeTheirMasksAndSizesAlong) {
  auto model = open_model("random:mini", {.seed = 4});
  Pruner pruner({.amount = 0.5, .layers = {"bert.encoder.layer.2.*.weight"}});
  pruner.attach(*model->bert, model->store);
  pruner.before_forward(0);
  pruner.finalize(model->store);
  model->pruned = masks_of(model->store);
  const std::vector<int64_t> layers = {1, 2};
  const auto small = keep_layers(*model, layers);
  ASSERT_FALSE(small->pruned.empty());
  for (const auto& [name, bits] : small->pruned) {
    ASSERT_TRUE(name.starts_with("bert.encoder.layer.1.")) << name;
    const Tensor& value = small->store.at(name).value;
    for (int64_t i = 0; i < value.size(); ++i)
      EXPECT_TRUE((bits.data<uint8_t>()[i / 8] >> (i % 8) & 1) != 0 || value.data<float>()[i] == 0);
  }
  const TemporaryFolder folder;
  save_checkpoint(folder / "m.h5", small->store, small->contents());
  EXPECT_EQ(logits(*open_model((folder / "m.h5").string())), logits(*small));
}

TEST(Layers, ThePrunersChoiceIsCutOut) {
  const auto model = open_model("random:mini", {.seed = 4});
  for (Parameter* p : model->store.all())  // the layers 1 and 2 matter least
    if (p->name.find("layer.1.") != std::string::npos || p->name.find("layer.2.") != std::string::npos)
      for (float& v : p->value.span<float>()) v *= 0.5F;
  Pruner pruner({.amount = 0.5, .structure = "layer"});
  pruner.attach(*model->bert, model->store);
  pruner.before_forward(0);
  pruner.finalize(model->store);
  EXPECT_EQ(layers_left(*model), (std::vector<int64_t>{0, 3}));
}

TEST(Layers, MistakesAreErrors) {
  const auto model = open_model("random:tiny");
  const auto error = [&](std::vector<int64_t> layers) { return error_of<Error>([&] { keep_layers(*model, layers); }); };
  expect_in(error({}), "none would be left");
  expect_in(error({0, 5}), "layers: 5 is out of range; the model has the layers 0 to 1");
  expect_in(error({-1}), "layers: -1 is out of range");
  expect_in(error({1, 1}), "layers: 1 is named twice");
}

}  // namespace
}  // namespace espalier
