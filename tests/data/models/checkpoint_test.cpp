// SPDX-License-Identifier: Apache-2.0
// What a checkpoint holds comes back bit for bit.
#include "data/models/checkpoint.h"

#include "tests/data/models/checkpoint_file.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

TEST_F(CheckpointFile, GivesBackEverythingBitForBit) {
  const Trained run;
  save(run, [](const Hdf5Group& root) { root.create_group("prune").write_text("masks", "101"); });
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1)
      << "a temporary file was left behind";

  const Checkpoint opened(file_);
  const CheckpointContents expected = contents(), &found = opened.contents();
  EXPECT_EQ(found.vocabulary, expected.vocabulary);
  EXPECT_EQ(found.options, expected.options);
  EXPECT_EQ(found.tokenizer.lowercase, false);
  EXPECT_EQ(found.tokenizer.strip_accents, true);
  EXPECT_EQ(found.tokenizer.tokenize_chinese_chars, false);
  EXPECT_EQ(found.tokenizer.added_tokens, expected.tokenizer.added_tokens);
  EXPECT_EQ(found.config.labels, expected.config.labels);
  EXPECT_EQ(found.config.hidden_size, 8);
  EXPECT_EQ(found.config.classifier_dropout, 0.25F);
  EXPECT_EQ(found.config.layer_norm_eps, 1e-12F);
  EXPECT_EQ(opened.tokenizer().size(), 10);
  EXPECT_EQ(opened.root().group("prune").read_text("masks"), "101");

  Trained other(2);
  const LoadReport report = opened.load_weights(other.store);
  EXPECT_EQ(report.loaded, std::ssize(run.store.all()));
  EXPECT_TRUE(report.initialised.empty() && report.ignored.empty() && report.unexpected.empty());
  EXPECT_TRUE(same_bits(other.store.values(), run.store.values()));
  ASSERT_TRUE(opened.resumes());
  EXPECT_FALSE(same_bits(other.optimizer->first_moments(), run.optimizer->first_moments()));
  other.optimizer->set_steps(0);
  opened.load_optimizer(*other.optimizer, other.store);
  EXPECT_TRUE(same_bits(other.optimizer->first_moments(), run.optimizer->first_moments()));
  EXPECT_TRUE(same_bits(other.optimizer->second_moments(), run.optimizer->second_moments()));
  EXPECT_EQ(other.optimizer->steps(), 1);
  const TrainingState state = opened.state(), saved = training_state();
  EXPECT_EQ(state.step, saved.step);
  EXPECT_EQ(state.epoch, saved.epoch);
  EXPECT_EQ(state.batch, saved.batch);
  EXPECT_EQ(state.seed, saved.seed);
  EXPECT_EQ(state.best_accuracy, saved.best_accuracy);
  EXPECT_EQ(state.best_step, saved.best_step);
  EXPECT_EQ(state.extra, saved.extra);

  Trained unallocated(1, small_config(), false);
  opened.load_weights(unallocated.store);
  EXPECT_TRUE(same_bits(unallocated.store.values(), run.store.values()));
}

TEST_F(CheckpointFile, EqualContentsGiveEqualBytes) {
  save(Trained(3));
  const std::string bytes = read_bytes(file_);
  save(Trained(3));
  EXPECT_EQ(read_bytes(file_), bytes);
  save(Trained(4));
  EXPECT_NE(read_bytes(file_), bytes);
}

TEST_F(CheckpointFile, UpdatesThatAreStillDueAreInTheFileAndNotInWhatIsLoaded) {
  Trained run, other(2);
  const auto due = [](Trained& model, float value) {
    Parameter& table = model.store.at("bert.embeddings.word_embeddings.weight");
    table.settle = [&table, value, done = false](std::span<const int32_t>) mutable {
      if (!done) table.value.data<float>()[0] = value;
      done = true;
    };
    return table.value;
  };
  due(run, 99);
  const Tensor loaded = due(other, 77);
  save_checkpoint(file_, run.store, contents());
  Checkpoint(file_).load_weights(other.store);
  other.store.settle();
  EXPECT_EQ(loaded.data<float>()[0], 99);
}

TEST_F(CheckpointFile, WithoutTrainingStateItPredictsOnly) {
  const Trained run;
  save_checkpoint(file_, run.store, contents());
  const Checkpoint opened(file_);
  Trained other(2);
  opened.load_weights(other.store);
  EXPECT_TRUE(same_bits(other.store.values(), run.store.values()));
  EXPECT_FALSE(opened.resumes());
  expect_in(error([&] { opened.state(); }), "has no training state");
  expect_in(error([&] { opened.load_optimizer(*other.optimizer, other.store); }), "has no optimizer state");
}

}  // namespace
}  // namespace espalier
