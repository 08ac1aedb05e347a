// SPDX-License-Identifier: Apache-2.0
// Checkpoints of earlier versions: opened, resumed, and saved as those of today.
#include "data/models/model_source.h"
#include "nn/mask.h"
#include "tests/data/models/checkpoint_file.h"

namespace espalier {
namespace {

const std::filesystem::path golden = std::filesystem::path(ESPALIER_TESTS_DIR) / "golden";

TEST_F(CheckpointFile, OfBytesIsTheSameModelAsOfStrings) {
  const auto old = open_model((golden / "checkpoint_of_bytes.h5").string());
  EXPECT_EQ(old->tokenizer.vocabulary().size(), 25U);
  EXPECT_EQ(old->tokenizer.vocabulary()[15], "##ly");
  EXPECT_EQ(masks_of(old->store).size(), 12U);
  save_checkpoint(file_, old->store, old->contents());
  const auto now = open_model(file_.string());
  EXPECT_EQ(now->tokenizer.vocabulary(), old->tokenizer.vocabulary());
  EXPECT_EQ(now->options, old->options);
  EXPECT_EQ(now->config.labels, old->config.labels);
  EXPECT_EQ(masks_of(now->store).size(), 12U);
  const auto before = old->store.all(), after = now->store.all();
  ASSERT_EQ(before.size(), after.size());
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(same_bits(before[i]->use({}).value, after[i]->use({}).value)) << before[i]->name;
}

TEST_F(CheckpointFile, StateOfBytesResumes) {
  const Checkpoint old(golden / "state_of_bytes.h5");
  ASSERT_TRUE(old.resumes());
  EXPECT_GT(old.state().step, 0);
  ParameterStore store;
  const Bert bert(store, old.contents().config);
  old.load_weights(store);
  Optimizer optimizer(store, {});
  old.load_optimizer(optimizer, store);
  EXPECT_EQ(optimizer.steps(), old.state().step);
}

}  // namespace
}  // namespace espalier
