// SPDX-License-Identifier: Apache-2.0
#include "data/checkpoint.h"

#include <sys/resource.h>

#include <csignal>
#include <functional>
#include <random>

#include "data/atomic_file.h"
#include "nn/bert.h"
#include "tests/temporary.h"

// HDF5 1.10 forgets to free a header whose checksum is wrong.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the leak sanitizer asks for this name
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

std::vector<std::string> vocabulary() {
  return {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "fine", "film", "##s", "é"};
}

BertConfig small_config(int64_t hidden = 8, int64_t layers = 2) {
  BertConfig config;
  config.vocab_size = std::ssize(vocabulary());
  config.hidden_size = hidden;
  config.num_hidden_layers = layers;
  config.num_attention_heads = 2;
  config.intermediate_size = 12;
  config.max_position_embeddings = 16;
  config.classifier_dropout = 0.25F;
  config.labels = {"bad", "good"};
  return config;
}

// A model with values, and an optimizer that has taken a step.
struct Trained {
  explicit Trained(uint64_t seed = 1, const BertConfig& config = small_config(), bool allocate = true)
      : bert(store, config) {
    if (!allocate) return;
    store.allocate(seed, 0.5F);
    optimizer = std::make_unique<AdamW>(store, AdamWOptions{});
    for (Parameter* p : store.all()) {
      p->grad.written = true;
      for (int64_t i = 0; i < p->shape.size(); ++i)
        p->grad.grad.data<float>()[i] = std::sin(static_cast<float>(i)) + p->value.data<float>()[i];
      if (p->grad.rows) p->grad.by_rows = false;
    }
    optimizer->step(0.1);
  }
  ParameterStore store;
  Bert bert;
  std::unique_ptr<AdamW> optimizer;
};

CheckpointContents contents(const BertConfig& config = small_config()) {
  return {config,
          vocabulary(),
          {.lowercase = false, .strip_accents = true, .tokenize_chinese_chars = false, .added_tokens = {"fine"}},
          {{"learning_rate", 2e-5}, {"model", "größer"}}};
}

TrainingState training_state() {
  return {.step = 1234567890123,
          .epoch = 2,
          .batch = 345,
          .seed = 18446744073709551615U,
          .best_accuracy = 0.1 + 0.2,
          .best_step = 12,
          .extra = {{"best_loss", 1.0 / 3}}};
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::equal(a.raw(), a.raw() + a.bytes(), b.raw());
}

class CheckpointFile : public testing::Test {
 protected:
  void save(const Trained& run, const std::function<void(Hdf5Group)>& more = {}) const {
    const TrainingState state = training_state();
    save_checkpoint(file_, run.store, contents(run.bert.config()), run.optimizer.get(), &state, more);
  }
  std::string error(const std::function<void()>& action) const {
    std::string text = error_of<Error>(action);
    EXPECT_TRUE(text == "no error" || text.starts_with(file_.string() + ": ")) << text;
    return text;
  }
  std::string open_error() const {
    return error([&] { Checkpoint opened(file_); });
  }
  TemporaryFolder folder_;
  fs::path file_ = folder_ / "model.h5";
};

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

TEST_F(CheckpointFile, AnotherModelIsNamedAtOnce) {
  save(Trained());
  const Checkpoint opened(file_);
  Trained wide(1, small_config(10)), deep(1, small_config(8, 3)), shallow(1, small_config(8, 1));
  expect_in(error([&] { opened.load_weights(wide.store); }), "bert.embeddings.LayerNorm.bias [8] for [10], ");
  expect_in(error([&] { opened.load_weights(deep.store); }),
            ": 16 missing (bert.encoder.layer.2.attention.output.LayerNorm.bias, ");
  expect_in(error([&] { opened.load_weights(shallow.store); }),
            ": 16 unexpected (bert.encoder.layer.1.attention.output.LayerNorm.bias, ");
  for (Trained* run : {&wide, &deep, &shallow})
    expect_in(error([&] { opened.load_optimizer(*run->optimizer, run->store); }),
              "/training/layout has other parameters or shapes than the model");
}

// Files that a newer or a wrong program might have written.
TEST_F(CheckpointFile, WhatItDoesNotKnowIsNamed) {
  const Trained run;
  const auto write = [&](const std::function<void(const Hdf5Group&)>& fill) {
    Hdf5File file = Hdf5File::create(file_, "x");
    fill(file.root());
    file.close();
  };
  const auto parts = [&](const Hdf5Group& root, const std::string& without = "", const std::string& other = "") {
    root.set_attribute(".", "format", "espalier checkpoint");
    root.set_attribute(".", "format_version", "1");
    std::map<std::string, std::string> texts = {
        {"config", R"({"vocab_size": 5, "hidden_size": 8, "num_attention_heads": 2})"},
        {"options", "{}"},
        {"tokenizer",
         R"({"lowercase": true, "strip_accents": null, "tokenize_chinese_chars": true, "added_tokens": []})"},
        {"vocabulary", "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n"}};
    if (!without.empty()) texts.at(without) = other;
    for (const auto& [name, text] : texts)
      if (!text.empty()) root.write_text(name, text);
  };
  write([&](const Hdf5Group& root) { parts(root); });
  EXPECT_EQ(open_error(), "no error");
  write([&](const Hdf5Group& root) { root.write_text("keras", "x"); });
  expect_in(open_error(), "is an HDF5 file, but no checkpoint");
  write([&](const Hdf5Group& root) {
    root.set_attribute(".", "format", "espalier checkpoint");
    root.set_attribute(".", "format_version", "2");
  });
  expect_in(open_error(), "has format version 2, this program reads version 1");
  const auto with = [&](const std::string& name, const std::string& text) {
    write([&](const Hdf5Group& root) { parts(root, name, text); });
    return open_error();
  };
  expect_in(with("config", ""), "there is no /config");
  expect_in(with("config", "{"), "/config: is not JSON at byte 2");
  expect_in(with("config", R"({"model_type": "gpt2"})"), "/config: model_type is \"gpt2\"");
  expect_in(with("vocabulary", "a\nb\n"), "the vocabulary has 2 tokens and the word embeddings have 5 rows");
  expect_in(with("tokenizer", "{}"), "/tokenizer: a field is missing or of the wrong type");
  expect_in(with("tokenizer", R"({"lowercase": "yes"})"), "/tokenizer: a field is missing or of the wrong type");
  expect_in(with("options", "[]"), "/options: holds a JSON array");

  save(run);
  const auto weights = [&](const std::function<void(const Hdf5Group&)>& fill) {
    write([&](const Hdf5Group& root) {
      parts(root);
      fill(root.create_group("weights"));
    });
    const Checkpoint opened(file_);
    Trained other;
    return error([&] { opened.load_weights(other.store); });
  };
  expect_in(weights([](const Hdf5Group& group) {
              group.create_group("classifier.weight");
              group.set_attribute("classifier.weight", "encoding", "bitmap");
            }),
            "/weights/classifier.weight is encoded as \"bitmap\", which this program does not know");
  expect_in(weights([](const Hdf5Group& group) {
              group.write("classifier.weight", Tensor::zeros({2, 8}));
            }),
            "/weights/classifier.weight: there is no attribute encoding");
  expect_in(weights([&](const Hdf5Group& group) {
              for (const Parameter* p : run.store.all()) {
                group.write(p->name, Tensor::zeros(p->shape, p->name == "classifier.bias" ? DType::f64 : DType::f32));
                group.set_attribute(p->name, "encoding", "dense");
              }
            }),
            "/weights/classifier.bias is f64[2]; expected f32[2]");
}

TEST_F(CheckpointFile, VocabularyMayBeShorterOnlyByPadding) {
  const auto error_with = [](int64_t tokens, int64_t rows) {
    BertConfig config;
    config.vocab_size = rows;
    return error_of<Error>(
        [&] { check_vocabulary(std::vector<std::string>(static_cast<size_t>(tokens), "x"), config, "m"); });
  };
  EXPECT_EQ(error_with(30522, 30522), "no error");
  EXPECT_EQ(error_with(30522, 30528), "no error");
  EXPECT_EQ(error_with(30521, 30522),
            "m: the vocabulary has 30521 tokens and the word embeddings have 30522 rows (vocab_size); expected the "
            "same number: take the vocabulary that belongs to the model");
  EXPECT_NE(error_with(30529, 30528), "no error");
  EXPECT_NE(error_with(30000, 30528), "no error");
  expect_in(error_of<Error>([] {
              check_vocabulary(
                  {"a\nb"},
                  [] {
                    BertConfig c;
                    c.vocab_size = 1;
                    return c;
                  }(),
                  "m");
            }),
            "the token \"a\\nb\" holds a line break");
}

TEST_F(CheckpointFile, FailedSaveLeavesTheOldFile) {
  save(Trained(1));
  const std::string old = read_bytes(file_);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  getrlimit(RLIMIT_FSIZE, &limit);
  for (const size_t bytes : {size_t{0}, size_t{3000}, old.size() / 2, old.size() - 1}) {
    const rlimit small{bytes, limit.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    const std::string text = error_of<Failure>([&] { save(Trained(2)); });
    setrlimit(RLIMIT_FSIZE, &limit);
    EXPECT_EQ(text, file_.string() + ": cannot be written: File too large");
  }
  EXPECT_EQ(
      error_of<std::logic_error>([&] { save(Trained(2), [](const Hdf5Group&) { throw std::logic_error("more"); }); }),
      "more");
  EXPECT_EQ(read_bytes(file_), old);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 1)
      << "a temporary file was left behind";

  const Trained run;
  expect_in(error_of<Error>([&] { save_checkpoint(folder_ / "no" / "model.h5", run.store, contents()); }),
            "model.h5: cannot be written: there is no folder ");
  expect_in(error_of<Error>([&] { save_checkpoint(folder_.path(), run.store, contents()); }), "is a directory");
  BertConfig config = small_config();
  config.vocab_size = 11;
  EXPECT_THROW(save_checkpoint(file_, run.store, contents(config)), Error);
  EXPECT_EQ(read_bytes(file_), old);
}

TEST_F(CheckpointFile, DamageIsAnErrorOrOtherValues) {
  save(Trained());
  const std::string whole = read_bytes(file_);
  const auto use = [&] {
    const Checkpoint opened(file_);
    Trained other(2, small_config(), false);
    opened.load_weights(other.store);
    opened.state();
  };
  std::mt19937 random(3);
  int errors = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string bytes = whole;
    if (i % 5 == 0)
      bytes.resize(random() % bytes.size());
    else
      bytes[random() % bytes.size()] = static_cast<char>(random());
    write_bytes(file_, bytes);
    errors += error_of<Error>(use) != "no error" ? 1 : 0;
  }
  EXPECT_GT(errors, 300);
}

TEST(AtomicFileTest, IsThereWholeOrNotAtAll) {
  const TemporaryFolder folder;
  const fs::path target = folder / "a.txt", part = folder / "a.txt.part";
  write_bytes(target, "old");
  write_bytes(part, "what a killed run left, longer than the new text");
  {
    AtomicFile file(target);
    file.write("ne");
    EXPECT_EQ(file.temporary(), part);
    EXPECT_EQ(read_bytes(part), "ne");
    EXPECT_EQ(read_bytes(target), "old");
    expect_in(error_of<Error>([&] { AtomicFile second(target); }), "a.txt: another process is writing it now");
    file.write("w");
    file.commit();
  }
  EXPECT_EQ(read_bytes(target), "new");
  EXPECT_FALSE(fs::exists(part));
  { AtomicFile(target).write("given up"); }
  EXPECT_EQ(read_bytes(target), "new");
  EXPECT_FALSE(fs::exists(part));

  fs::create_symlink("a.txt", folder / "link");
  write_file(folder / "link", "through the link");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_EQ(read_bytes(target), "through the link");
  write_file("relative.txt", "in the working folder");
  EXPECT_EQ(read_bytes("relative.txt"), "in the working folder");
  fs::remove("relative.txt");
}

}  // namespace
}  // namespace espalier
