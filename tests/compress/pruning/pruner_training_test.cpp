// SPDX-License-Identifier: Apache-2.0
// The laws of training with a Pruner: resumed is uninterrupted, a saved model predicts as the masked one.
#include <gtest/gtest.h>

#include <algorithm>

#include "optim/optimizer.h"
#include "tests/compress/pruning/small_model.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// A little training run; the state is saved and loaded into a new model before step `stop`.
std::vector<float> trained(int64_t stop, const PruneOptions& options, double& sparsity) {
  const TemporaryFolder folder;
  const fs::path path = folder / "state.h5";
  std::unique_ptr<Model> model;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<Pruner> pruner;
  const auto begin = [&] {
    model = open_model(small_model.string());
    optimizer = std::make_unique<Optimizer>(model->store, OptimizerOptions{.weight_decay = 0.1});
    pruner = std::make_unique<Pruner>(options);
    pruner->attach(*model->bert, model->store);
  };
  begin();
  for (int64_t step = 0; step < 12; ++step) {
    if (step == stop) {
      const TrainingState state;
      save_checkpoint(path, model->store, model->contents(), optimizer.get(), &state,
                      [&](const Hdf5Group& root) { pruner->save(root.create_group("pruner")); });
      begin();
      const Checkpoint saved(path);
      saved.load_weights(model->store);
      saved.load_optimizer(*optimizer, model->store);
      pruner->load(saved.root().group("pruner"));
    }
    pruner->before_forward(step);
    const PackedBatch batch = batch_of({2, static_cast<int32_t>(5 + step % 4), 8, 7, 3});
    Tape tape;
    Context context{.tape = &tape, .training = true, .seed = 3, .step = static_cast<uint64_t>(step)};
    tape.backward(ops::cross_entropy((*model->bert)(batch, context), batch.labels, 1));
    pruner->after_backward(step);
    optimizer->step(1e-2, 1);
    pruner->after_step(step);
  }
  sparsity = pruner->sparsity();
  for (const Pool& pool : pruner->pools())
    for (const Member& member : pool.members) {
      const Tensor seen = member.parameter->use({}).value;
      for (int64_t i = 0; i < seen.size(); ++i)
        EXPECT_TRUE(mask_of(*member.parameter).keeps(i) || seen.data<float>()[i] == 0);
    }
  const auto values = model->store.values().span<float>();
  std::vector<float> all(values.begin(), values.end());
  for (const float v : logits(*model, {2, 5, 8, 7, 3})) all.push_back(v);
  return all;
}

TEST(Pruner, ResumedTrainingHasTheSameBits) {
  for (const std::string method : {"magnitude", "taylor", "wanda", "movement", "soft-movement"}) {
    const bool soft = method == "soft-movement";
    const PruneOptions options{
        .method = method.ends_with("movement")
                      ? Choice<CriterionRow>(
                            movement({.learning_rate = 0.1, .soft = soft, .regularization = soft ? 10.0 : 0.0}))
                      : Choice<CriterionRow>(method),
        .amount = soft ? 0.4 : 0.7,
        .scope = soft ? RankingScope::layer : RankingScope::global,
        .schedule = {.kind = PruneSchedule::Kind::cubic, .begin = 2, .end = 9, .interval = 3}};
    double sparsity = 0, resumed = 0;
    const auto whole = trained(-1, options, sparsity);
    if (soft)
      EXPECT_TRUE(sparsity > 0.01 && sparsity < 0.99) << sparsity;
    else
      EXPECT_NEAR(sparsity, 0.7, 1e-3);
    for (const int64_t stop : {1, 3, 9, 11}) {
      EXPECT_EQ(trained(stop, options, resumed), whole) << method << " stopped before step " << stop;
      EXPECT_EQ(resumed, sparsity);
    }
  }
}

bool same_masks(const PrunedMasks& a, const PrunedMasks& b) {
  return std::ranges::equal(a, b, [](const auto& x, const auto& y) {
    return x.first == y.first &&
           std::ranges::equal(x.second.template span<uint8_t>(), y.second.template span<uint8_t>());
  });
}

TEST(Pruner, PrunedCheckpointPredictsAsTheMaskedModelAndKeepsItsZerosInTraining) {
  const TemporaryFolder folder;
  const fs::path path = folder / "pruned.h5";
  Pruned p({.amount = 0.8});
  const auto masked = logits(*p.model, {2, 5, 8, 7, 3});
  save_checkpoint(path, p.model->store, p.model->contents());
  EXPECT_NE(p.parameter("0.output.dense.weight").value.data<float>()[0], 0) << "the stored values are as they were";

  const auto again = open_model(path.string());
  EXPECT_EQ(logits(*again, {2, 5, 8, 7, 3}), masked);
  EXPECT_TRUE(same_masks(masks_of(again->store), masks_of(p.model->store)));
  EXPECT_FALSE(Hdf5File::open(path).root().contains("masks")) << "the stored zeros tell";

  bake_masks(p.model->store);
  EXPECT_EQ(logits(*p.model, {2, 5, 8, 7, 3}), masked) << "baking changes no prediction";
}

// A kept weight that is zero by itself, and the file of a run that resumes, whose stored values are not masked.
TEST(Pruner, MasksThatTheZerosDoNotTellAreStored) {
  const TemporaryFolder folder;
  const fs::path path = folder / "state.h5";
  Pruned p({.amount = 0.5});
  const std::string name = "bert.encoder.layer.0.output.dense.weight";
  const Parameter& w = p.model->store.at(name);
  int64_t kept = 0;
  while (!mask_of(p.model->store.at(name)).keeps(kept)) ++kept;
  w.value.data<float>()[kept] = 0;
  save_checkpoint(path, p.model->store, p.model->contents());
  EXPECT_EQ(Hdf5File::open(path).root().group("masks").names(), std::vector<std::string>{name});
  EXPECT_TRUE(same_masks(masks_of(open_model(path.string())->store), masks_of(p.model->store)));

  const Optimizer optimizer(p.model->store, {});
  const TrainingState state;
  save_checkpoint(path, p.model->store, p.model->contents(), &optimizer, &state);
  const auto again = open_model(path.string());
  EXPECT_TRUE(same_masks(masks_of(again->store), masks_of(p.model->store)));
  EXPECT_EQ(logits(*again, {2, 5, 8, 7, 3}), logits(*p.model, {2, 5, 8, 7, 3}));
}

}  // namespace
}  // namespace espalier
