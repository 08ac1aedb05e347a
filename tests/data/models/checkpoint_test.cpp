// SPDX-License-Identifier: Apache-2.0
// What a checkpoint holds comes back bit for bit.
#include "data/models/checkpoint.h"

#include "data/models/model_source.h"
#include "nn/integers.h"
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
  EXPECT_EQ(found.tokenizer, expected.tokenizer);
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

// Masks and integers are the parameters': saving finds them, opening installs them, and the same file comes again.
TEST_F(CheckpointFile, MasksAndIntegersAreThoseOfTheParameters) {
  Trained run;
  const std::string pruned = "bert.encoder.layer.0.output.dense.weight", int8 = "bert.pooler.dense.weight",
                    table = "bert.embeddings.word_embeddings.weight";
  const Tensor bits = Mask::bits_of(run.store.at(pruned).shape, true).clone();
  bits.span<uint8_t>()[0] = 0x5a;
  hold(run.store.at(pruned), bits);
  const auto quantized = [&](const std::string& name, bool products) {
    const auto [q, grid] = quantize_rows(run.store.at(name).value, 8);
    set_integers(run.store.at(name), std::make_shared<QuantizedWeight>(q, grid, 8, std::nullopt, products));
  };
  quantized(int8, true);
  quantized(table, false);
  save_checkpoint(file_, run.store, contents());

  const auto opened = open_model(file_.string());
  EXPECT_TRUE(same_bits(opened->store.values(), run.store.values()));
  const PrunedMasks masks = masks_of(opened->store);
  ASSERT_EQ(masks.size(), 1U);
  EXPECT_TRUE(same_bits(masks.at(pruned), bits));
  for (const Parameter* p : opened->store.all()) {
    EXPECT_TRUE(p->keeps_value()) << p->name;
    EXPECT_EQ(p->integers() != nullptr, p->name == int8 || p->name == table) << p->name;
  }
  EXPECT_TRUE(opened->store.at(int8).integers()->products() && !opened->store.at(table).integers()->products());
  opened->bert->set_compute(DType::f32, Use::inference);
  EXPECT_NE(as<InferenceWeight>(opened->bert->layers()[0].output.form()), nullptr) << "a held mask does not prevent it";

  const std::string bytes = read_bytes(file_);
  save_checkpoint(file_, opened->store, opened->contents());
  EXPECT_EQ(read_bytes(file_), bytes);

  Checkpoint(file_).load_weights(run.store);
  save(Trained(5));
  Checkpoint(file_).load_weights(run.store);  // of a run that resumes: f32, and not masked
  EXPECT_EQ(run.store.at(int8).integers(), nullptr);
  for (int64_t i = 0; i < 8; ++i)
    EXPECT_EQ(run.store.at(pruned).value.data<float>()[i] == 0, (0x5a >> i & 1) == 0) << "held masks hold";
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
