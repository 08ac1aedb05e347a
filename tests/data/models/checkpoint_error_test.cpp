// SPDX-License-Identifier: Apache-2.0
// Files that are damaged, or belong to another model, and saving that fails.
#include <sys/resource.h>

#include <csignal>

#include "tests/data/models/checkpoint_file.h"

// HDF5 1.10 forgets to free a header whose checksum is wrong.
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming): the leak sanitizer asks for this name
extern "C" const char* __lsan_default_suppressions() { return "leak:libhdf5"; }

namespace espalier {
namespace {

namespace fs = std::filesystem;

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
  std::vector<std::string> tokens = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  const auto parts = [&](const Hdf5Group& root, const std::string& without = "", const std::string& other = "") {
    root.set_attribute(".", "format", "espalier checkpoint");
    root.set_attribute(".", "format_version", "1");
    std::map<std::string, std::string> texts = {
        {"config", R"({"vocab_size": 5, "hidden_size": 8, "num_attention_heads": 2})"},
        {"options", "{}"},
        {"tokenizer",
         R"({"lowercase": true, "strip_accents": null, "tokenize_chinese_chars": true, "added_tokens": []})"}};
    root.write_texts("vocabulary", tokens);
    if (!without.empty()) texts.at(without) = other;
    for (const auto& [name, text] : texts)
      if (!text.empty()) root.write_text(name, text);
  };
  write([&](const Hdf5Group& root) { parts(root); });
  EXPECT_EQ(open_error(), "no error");
  write([&](const Hdf5Group& root) {
    parts(root, "tokenizer", R"({"lowercase": true, "strip_accents": null, "tokenize_chinese_chars": true,
                                 "added_tokens": ["[MASK]", "[SEP]"]})");
  });
  EXPECT_EQ(Checkpoint(file_).tokenizer().options().added_tokens, (std::vector<AddedToken>{{"[MASK]"}, {"[SEP]"}}))
      << "as files of earlier versions have them";
  write([&](const Hdf5Group& root) { root.write_text("keras", "x"); });
  expect_in(open_error(), "is an HDF5 file, but no checkpoint");
  write([&](const Hdf5Group& root) {
    root.set_attribute(".", "format", "espalier checkpoint");
    root.set_attribute(".", "format_version", "3");
  });
  expect_in(open_error(), "has format version 3, this program reads up to version 2");
  const auto with = [&](const std::string& name, const std::string& text) {
    write([&](const Hdf5Group& root) { parts(root, name, text); });
    return open_error();
  };
  expect_in(with("config", ""), "there is no /config");
  expect_in(with("config", "{"), "/config: is not JSON at byte 2");
  expect_in(with("config", R"({"model_type": "gpt2"})"), "/config: model_type is 'gpt2'");
  tokens.emplace_back("[X]");
  expect_in(with("", ""), "the vocabulary has 6 tokens and the word embeddings have 5 rows");
  tokens.pop_back();
  expect_in(with("tokenizer", "{}"), "/tokenizer: there is no field lowercase; the file is damaged");
  expect_in(with("tokenizer", R"({"lowercase": "yes"})"),
            "/tokenizer: the field lowercase is \"yes\", which has the wrong type");
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

TEST_F(CheckpointFile, EveryTokenHasARow) {
  const auto error_with = [](int64_t tokens, int64_t rows) {
    BertConfig config;
    config.vocab_size = rows;
    return error_of<Error>(
        [&] { check_vocabulary(std::vector<std::string>(static_cast<size_t>(tokens), "x"), config, "m"); });
  };
  EXPECT_EQ(error_with(30522, 30522), "no error");
  EXPECT_EQ(error_with(30522, 30528), "no error");
  EXPECT_EQ(error_with(30000, 30529), "no error") << "rows behind the last token are never read";
  EXPECT_EQ(error_with(30523, 30522),
            "m: the vocabulary has 30523 tokens and the word embeddings have 30522 rows (vocab_size); expected a row "
            "for each token: take the vocabulary that belongs to the model");
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
  config.vocab_size = 3;
  EXPECT_THROW(save_checkpoint(file_, run.store, contents(config)), Error);
  EXPECT_EQ(read_bytes(file_), old);
}

}  // namespace
}  // namespace espalier
