// SPDX-License-Identifier: Apache-2.0
// Classifier: its answers are the model's, whatever is asked beside them and by however many threads; what it is asked
// may be anything.
#include "apps/inference/classifier.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>

#include "core/parallel.h"
#include "tests/inference/models.h"

namespace espalier {
namespace {

// Bit for bit.
bool same(const Answer& a, const Answer& b) {
  return a.label == b.label && a.probabilities == b.probabilities && a.values == b.values && a.chosen == b.chosen;
}

std::vector<Text> views_of(const std::vector<std::string>& texts) {
  std::vector<Text> views(texts.size());
  std::ranges::transform(texts, views.begin(), [](const std::string& text) { return Text{text}; });
  return views;
}

TEST(Classifier, AnswersAsTheModelDoes) {
  const Classifier classifier(golden_model, {.precision = Precision::f32});
  EXPECT_EQ(classifier.max_length(), 20) << "all positions where there are fewer than 128";
  EXPECT_EQ(classifier.labels(), (std::vector<std::string>{"negative", "neutral", "positive"}));
  const auto model = open_model(golden_model);
  const auto answer = [&](const Tokenizer::Encoding& text) {
    PackedBatch batch;
    batch.ids = text.ids, batch.segments = text.segments;
    batch.offsets = {0, static_cast<int32_t>(text.ids.size())};
    Context context;
    return model->bert->head().answer((*model->bert)(batch, context).value);
  };
  const auto expect_near = [](const Answer& a, const Answer& b) {
    EXPECT_EQ(a.label, b.label);
    ASSERT_EQ(a.probabilities.size(), 3U);
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(a.probabilities[c], b.probabilities[c], 1e-6);
  };
  expect_near(classifier.classify("the film is good ."), answer(model->tokenizer.encode("the film is good .", 20)));
  expect_near(classifier.classify("the film", "good ."),
              answer(model->tokenizer.encode_pair("the film", "good .", 20)));
  EXPECT_FALSE(same(classifier.classify("the film", "good ."), classifier.classify("the film good .")));
  EXPECT_FALSE(same(classifier.classify("the film", ""), classifier.classify("the film"))) << "a pair has two [SEP]";
}

class ClassifierKinds : public testing::TestWithParam<const char*> {
 protected:
  const std::string kind_ = GetParam();
  const Classifier classifier_{kind_ == "int8" ? int8_model() : open_model("random:tiny"),
                               {.precision = kind_ == "bf16" ? Precision::bf16 : Precision::f32, .max_length = 512}};
};

TEST_P(ClassifierKinds, NothingBesideATextChangesItsAnswer) {
  const auto texts = texts_of(300, 600);
  std::vector<Answer> alone(texts.size());
  std::ranges::transform(texts, alone.begin(), [&](const std::string& text) { return classifier_.classify(text); });
  for (const int count : {1, 2, 3}) {
    set_threads(count);
    const std::vector<Answer> together = classifier_.classify(views_of(texts));
    ASSERT_EQ(together.size(), texts.size());
    for (size_t i = 0; i < texts.size(); ++i) EXPECT_TRUE(same(together[i], alone[i])) << i << ", threads " << count;
  }
  set_threads(0);
  EXPECT_TRUE(classifier_.classify(std::span<const Text>()).empty());
}

TEST_P(ClassifierKinds, ManyThreadsShareOne) {
  const auto texts = texts_of(64, 300);
  const std::vector<Answer> expected = classifier_.classify(views_of(texts));
  set_threads(4);  // two for each of the first two callers, the others keep to themselves
  std::atomic<int> different = 0;
  in_threads(8, [&](int thread) {
    for (size_t i = static_cast<size_t>(thread); i < texts.size() + static_cast<size_t>(thread); ++i)
      different += same(classifier_.classify(texts[i % texts.size()]), expected[i % texts.size()]) ? 0 : 1;
    const std::vector<Answer> all = classifier_.classify(views_of(texts));
    for (size_t i = 0; i < texts.size(); ++i) different += same(all[i], expected[i]) ? 0 : 1;
  });
  EXPECT_EQ(different, 0);
  set_threads(0);
}

INSTANTIATE_TEST_SUITE_P(All, ClassifierKinds, testing::Values("f32", "bf16", "int8"),
                         [](const auto& kind) { return std::string(kind.param); });

TEST(Classifier, AnyBytesAreAText) {
  const Classifier classifier("random:tiny");
  const auto expect_same = [&](const std::string& text, const std::string& as) {
    EXPECT_TRUE(same(classifier.classify(text), classifier.classify(as))) << as;
  };
  expect_same("", "   \n\t ");
  expect_same(std::string("\0\0", 2), "");
  expect_same(std::string("a fi\0lm", 7), "a film");
  expect_same("a \xff\xfe film \xc3", "a  film ");
  expect_same("a film\xf4\x90\x80\x80\xed\xa0\x80", "a film");
  expect_same(std::string(1'000'000, '\xff'), "");
  std::string words, letters(100'000, 'x'), symbols;
  while (words.size() < 100'000) words += "a very good film ";
  while (symbols.size() < 100'000) symbols += "\xe2\x98\x83";
  for (const std::string& text : {words, letters, symbols, std::string(100'000, '#')}) {
    EXPECT_EQ(classifier.classify(text).probabilities.size(), 2U);
    EXPECT_EQ(classifier.classify(text, text).probabilities.size(), 2U);
    EXPECT_EQ(classifier.classify("", text).probabilities.size(), 2U);
  }
  expect_same(words, words.substr(0, 10'000));
}

TEST(Classifier, WhatCannotBeOpenedIsNamed) {
  const TemporaryFolder folder;
  std::filesystem::create_directory(folder / "empty");
  write_bytes(folder / "text.h5", "sentence\tlabel\n");
  write_bytes(folder / "text", "sentence\tlabel\n");
  const auto error = [&](const std::string& name, const ClassifierOptions& options = {}) {
    return error_of<Error>([&] { const Classifier none(name, options); });
  };
  expect_in(error("nowhere"), "nowhere: there is no such file or directory; expected a checkpoint");
  expect_in(error(folder / "empty"), "empty/config.json: cannot be opened");
  expect_in(error(folder / "text.h5"), "text.h5: cannot be opened as HDF5");
  expect_in(error(folder / "text"), "text: is not a model");
  expect_in(error(""), "there is no such file or directory");
  EXPECT_EQ(error(golden_model, {.max_length = 21}), "max_length 21: expected 3 … 20, the model's number of positions");
  EXPECT_EQ(error(golden_model, {.max_length = 0}), "max_length 0: expected 3 … 20, the model's number of positions");
}

TEST(Classifier, FilesAreNotNeededOnceItIsOpen) {
  const TemporaryFolder folder;
  std::filesystem::copy(golden_model, folder / "model");
  const auto random = open_model("random:tiny"), int8 = int8_model();
  save_checkpoint(folder / "f32.h5", random->store, random->contents());
  save_checkpoint(folder / "int8.h5", int8->store, int8->contents());
  for (const std::string name : {"model", "f32.h5", "int8.h5"}) {
    const Classifier classifier(folder / name);
    const Answer before = classifier.classify("the film is good .");
    const auto file = name == "model" ? folder / "model/model.safetensors" : folder / name;
    const std::string whole = read_bytes(file);
    std::filesystem::resize_file(file, whole.size() / 2);
    EXPECT_TRUE(same(classifier.classify("the film is good ."), before)) << name;
    EXPECT_EQ(classifier.classify("another one").probabilities.size(), before.probabilities.size());
    expect_in(error_of<Error>([&] { const Classifier cut(folder / name); }), file.string());
    std::filesystem::resize_file(file, 0);
    EXPECT_TRUE(same(classifier.classify("the film is good ."), before)) << name;
    expect_in(error_of<Error>([&] { const Classifier cut(folder / name); }), file.string());
  }
}

// A head whose logits belong to tokens.
class Words : public Head {
 public:
  Words(ParameterStore& store, const Encoder& /*encoder*/)
      : bias_((Scope(store) / "words").parameter("bias", {2}, Role::bias)) {}
  std::vector<int32_t> rows(const PackedBatch& /*batch*/) const override { return {}; }
  Var logits(const Var& hidden, Context& /*context*/) const override { return hidden; }
  int64_t width() const override { return 0; }
  Label read_label(std::string_view /*text*/) const override { return {}; }
  Var loss(const Var& logits, const PackedBatch& /*batch*/, const LossWeight& /*weight*/) const override {
    return logits;
  }
  Tensor scores(const Tensor& logits, const PackedBatch& /*batch*/) const override { return logits; }
  Metrics metrics(const Tensor& /*scores*/) const override { return {}; }
  std::string metric() const override { return "none"; }
  Answer answer(const Tensor& /*logits*/) const override { return {}; }
  const std::vector<std::string>& labels() const override { return labels_; }
  std::string parts() const override { return "words"; }
  std::vector<Linear*> linears() override { return {}; }
  std::vector<Linear*> quantizable() override { return {}; }

 private:
  Parameter& bias_;
  std::vector<std::string> labels_;
};

TEST(Classifier, LogitsOfTokensAreRefused) {
  auto model = open_model("random:tiny");
  ParameterStore store;
  model->bert = std::make_unique<Bert>(store, model->config, [](ParameterStore& s, const Encoder& encoder) {
    return std::unique_ptr<Head>(std::make_unique<Words>(s, encoder));
  });
  store.allocate(1);
  const Classifier classifier(std::move(model));
  EXPECT_EQ(error_of<Error>([&] { classifier.classify("text"); }),
            "random:tiny: its logits belong to tokens; expected a model that answers whole texts");
}

TEST(Classifier, OpeningAndClosingLeavesNoMemoryBehind) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer keeps freed memory for a while";
#endif
  const TemporaryFolder folder;
  const auto random = open_model("random:tiny"), int8 = int8_model();
  save_checkpoint(folder / "f32.h5", random->store, random->contents());
  save_checkpoint(folder / "int8.h5", int8->store, int8->contents());
  int64_t warm = 0;
  for (int i = 0; i < 50; ++i) {
    for (const char* name : {"f32.h5", "int8.h5"}) Classifier(folder / name).classify("the film is good .");
    if (i == 9) warm = memory_now();
  }
  EXPECT_LT(memory_now() - warm, 4 << 20);
}

TEST(Classifier, SeveralThreadsMayOpenAtOnce) {
  const TemporaryFolder folder;
  const auto model = open_model("random:tiny");
  save_checkpoint(folder / "m.h5", model->store, model->contents());
  const Answer expected = Classifier(folder / "m.h5").classify("a film");
  std::atomic<int> different = 0;
  in_threads(4, [&](int) { different += same(Classifier(folder / "m.h5").classify("a film"), expected) ? 0 : 1; });
  EXPECT_EQ(different, 0);
}

}  // namespace
}  // namespace espalier
