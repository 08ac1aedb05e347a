// SPDX-License-Identifier: Apache-2.0
#include "optim/parameter_groups.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/check.h"
#include "nn/bert.h"
#include "optim/optimizer.h"

namespace espalier {
namespace {

class Groups : public testing::Test {
 protected:
  Groups() : config_(BertConfig::of_size("tiny")) {
    config_.vocab_size = 3000;  // large enough for deferred rows
    config_.num_hidden_layers = 3;
    model_ = std::make_unique<Bert>(store_, config_);
    store_.allocate(1);
  }

  // One step on a batch; returns the parameters that changed.
  std::vector<std::string> step() {
    const Tensor before = store_.values().clone();
    Optimizer optimizer(store_, {.weight_decay = 0.1});
    const PackedBatch batch{.ids = {5, 7}, .segments = {0, 0}, .offsets = {0, 2}, .labels = {1}, .rows = {0}};
    Tape tape;
    Context context{.tape = &tape};
    tape.backward(ops::cross_entropy((*model_)(batch, context), batch.labels, 1));
    nodes_ = tape.size();
    optimizer.step(0.1);
    store_.settle();
    std::vector<std::string> changed;
    for (const Parameter* p : store_.all())
      if (!std::ranges::equal(p->value.span<float>(), before.view(p->first, p->shape).span<float>()))
        changed.push_back(p->name);
    return changed;
  }

  BertConfig config_;
  ParameterStore store_;
  std::unique_ptr<Bert> model_;
  size_t nodes_ = 0;
};

TEST_F(Groups, rates_fall_from_the_head_to_the_embeddings) {
  set_layer_decay(store_, 3, 0.5);
  EXPECT_EQ(store_.at("classifier.weight").rate_share, 1);
  EXPECT_EQ(store_.at("bert.pooler.dense.bias").rate_share, 1);
  for (int l = 0; l < 3; ++l)
    EXPECT_EQ(store_.at("bert.encoder.layer." + std::to_string(l) + ".output.dense.weight").rate_share,
              std::pow(0.5, 3 - l));
  EXPECT_EQ(store_.at("bert.embeddings.LayerNorm.weight").rate_share, std::pow(0.5, 4));
  set_layer_decay(store_, 3, 1);
  for (const Parameter* p : store_.all()) EXPECT_EQ(p->rate_share, 1) << p->name;
}

TEST_F(Groups, lower_layers_that_are_frozen_have_no_backward_pass) {
  (void)step();
  const size_t all = nodes_;
  freeze(store_, {"bert.embeddings.*", "bert.encoder.layer.0.*", "bert.encoder.layer.1.*"});
  for (const std::string& name : step())
    EXPECT_TRUE(name.starts_with("bert.encoder.layer.2.") || !name.starts_with("bert.e")) << name;
  EXPECT_LT(nodes_, all / 2) << "ops on constants are not on the tape";
}

TEST_F(Groups, one_frozen_tensor_among_others_keeps_every_bit) {
  freeze(store_, {"*.query.weight", "bert.embeddings.word_embeddings.weight"});
  const std::vector<std::string> changed = step();
  EXPECT_GT(changed.size(), 30U);
  for (const std::string& name : changed)
    EXPECT_FALSE(name.ends_with("query.weight") || name.ends_with("word_embeddings.weight")) << name;
}

TEST_F(Groups, a_pattern_that_matches_nothing_is_refused_and_so_is_freezing_all) {
  const auto refused = [&](const std::vector<std::string>& patterns) {
    try {
      freeze(store_, patterns);
    } catch (const Error& error) { return std::string(error.what()); }
    return std::string();
  };
  EXPECT_EQ(refused({"bert.encoder.layer.1.*", "layer.0"}),
            "--freeze: the pattern 'layer.0' matches no parameter; expected a name with * for any text, such as "
            "bert.embeddings.*, bert.encoder.layer.0.* or classifier.weight");
  EXPECT_EQ(refused({"*"}), "--freeze: the patterns match all parameters, nothing would learn; name fewer of them");
}

TEST_F(Groups, are_told_from_the_embeddings_to_the_head) {
  set_layer_decay(store_, 3, 0.5);
  freeze(store_, {"bert.embeddings.*", "bert.encoder.layer.0.*.bias"});
  const std::vector<ParameterGroup> groups = parameter_groups(store_);
  std::vector<std::string> names;
  int64_t parameters = 0;
  for (const ParameterGroup& g : groups) {
    names.push_back(g.name + (g.frozen ? " frozen" : ""));
    parameters += g.parameters;
  }
  EXPECT_EQ(names,
            (std::vector<std::string>{"embeddings frozen", "layer 0", "layer 0 frozen", "layer 1", "layer 2", "head"}));
  EXPECT_EQ(parameters, store_.count());
  const std::string text = describe(groups, 1e-4, 0.01);
  EXPECT_NE(text.find("layer 1      16 tensors"), std::string::npos) << text;
  EXPECT_NE(text.find("rate 2.5e-05, weight decay 0.01"), std::string::npos) << text;
}

}  // namespace
}  // namespace espalier
