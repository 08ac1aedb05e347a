// SPDX-License-Identifier: Apache-2.0
// Distillation: the loss is the formula, term by term; teachers are compared with the student before they teach.
#include "compress/distiller.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/layers.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

TokenizedDataset text() {
  TokenizedDataset data;
  for (const std::vector<int32_t>& s : std::vector<std::vector<int32_t>>{
           {2, 9, 8, 3}, {2, 5, 8, 7, 11, 3}, {2, 30, 31, 3}, {2, 12, 3}, {2, 40, 41, 3}}) {
    data.ids.insert(data.ids.end(), s.begin(), s.end());
    data.first_lengths.push_back(static_cast<int32_t>(s.size()));
    data.offsets.push_back(data.tokens());
    data.labels.push_back(s[1] % 2);
  }
  return data;
}

std::vector<double> softmax(const float* z, double temperature) {
  const double a = std::exp(z[0] / temperature), b = std::exp(z[1] / temperature);
  return {a / (a + b), b / (a + b)};
}

// A saved teacher and one of another seed, a dataset, the teacher's logits for it.
class Distilling : public testing::Test {
 protected:
  Distilling() {
    save("random:mini", 4, "teacher.h5");
    save("random:mini", 5, "other.h5");
    teacher_ = std::make_shared<Teacher>(std::vector{path("teacher.h5")}, DType::f32);
    logits_ = teacher_->logits(data_);
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void save(const std::string& size, uint64_t seed, const std::string& name) const {
    const auto model = open_model(size, {.seed = seed, .labels = {{"negative", "positive"}}});
    for (float& v : model->store.values().span<float>()) v *= 3;  // logits that differ
    save_checkpoint(folder_ / name, model->store, model->contents());
  }

  // Loss and gradient of one window that is cut into batches of `size`.
  double step(const Model& model, Distiller& distiller, int64_t size = 8) const {
    const Loader loader(data_, {.batch_size = size, .accumulate = 8, .order = Order::file});
    const Window window = loader.epoch(0).window(0);
    double total = 0;
    distiller.before_forward(0);
    for (const PackedBatch& batch : window.batches) {
      Tape tape;
      Context context{.tape = &tape};
      Activations inside;
      const Var logits = (*model.bert)(batch, context, distiller.looks_inside() ? &inside : nullptr);
      const Var loss = distiller.loss(ops::cross_entropy(logits, batch.labels, static_cast<double>(window.labelled)),
                                      {batch, window, logits, inside}, context);
      tape.backward(loss);
      total += static_cast<double>(*loss.value.data<float>());
    }
    return total;
  }

  TemporaryFolder folder_;
  TokenizedDataset data_ = text();
  std::shared_ptr<const Teacher> teacher_;
  Tensor logits_;
};

// (1 - alpha) cross-entropy + alpha T^2 KL, both means over the sentences; written out for two classes.
TEST_F(Distilling, LossIsTheFormula) {
  const auto student = open_model(path("other.h5"));
  const Teacher other({path("other.h5")}, DType::f32);
  const Tensor z = other.logits(data_);
  for (const double temperature : {1.0, 2.0, 4.0})
    for (const double alpha : {0.0, 0.3, 1.0}) {
      double hard = 0, soft = 0;
      for (int64_t i = 0; i < 5; ++i) {
        hard -=
            std::log(softmax(z.data<float>() + 2 * i, 1)[static_cast<size_t>(data_.labels[static_cast<size_t>(i)])]) /
            5;
        const auto p = softmax(logits_.data<float>() + 2 * i, temperature),
                   q = softmax(z.data<float>() + 2 * i, temperature);
        for (size_t c = 0; c < 2; ++c) soft += temperature * temperature * p[c] * std::log(p[c] / q[c]) / 5;
      }
      ASSERT_GT(soft, 1e-3);
      Distiller distiller({.temperature = temperature, .alpha = alpha}, teacher_, logits_, 0);
      distiller.attach(*student->bert, student->store);
      for (const int64_t batch : {8, 2}) {
        EXPECT_NEAR(step(*student, distiller, batch), (1 - alpha) * hard + alpha * soft, 2e-6);
        EXPECT_NEAR(distiller.terms().at("hard_loss"), hard, 2e-6);
        EXPECT_NEAR(distiller.terms().at("soft_loss"), soft, 2e-6);
      }
    }
}

TEST_F(Distilling, TheTeacherItselfHasNothingToLearn) {
  const auto student = open_model(path("teacher.h5"));
  Distiller distiller(
      {.alpha = 1, .hidden_weight = 1, .attention_weight = 1, .relation_weight = 1, .embedding_weight = 1}, teacher_,
      logits_, 0);
  distiller.attach(*student->bert, student->store);
  EXPECT_NEAR(step(*student, distiller), 0, 1e-6);
  for (const char* name : {"soft_loss", "hidden_loss", "attention_loss", "relation_loss", "embedding_loss"})
    EXPECT_NEAR(distiller.terms().at(name), 0, 1e-6) << name;
  const auto wrong = open_model(path("other.h5"));
  Distiller another(
      {.alpha = 1, .hidden_weight = 1, .attention_weight = 1, .relation_weight = 1, .embedding_weight = 1}, teacher_,
      logits_, 0);
  another.attach(*wrong->bert, wrong->store);
  step(*wrong, another);
  for (const char* name : {"soft_loss", "hidden_loss", "attention_loss", "relation_loss", "embedding_loss"})
    EXPECT_GT(another.terms().at(name), 1e-4) << name;
}

TEST_F(Distilling, BatchesOfAWindowMakeOneLoss) {
  const DistillOptions all = {.hidden_weight = 1,
                              .attention_weight = 2,
                              .relation_weight = 3,
                              .embedding_weight = 4,
                              .hidden_loss = "cosine",
                              .attention_loss = "mse",
                              .relation_heads = 2};
  std::vector<double> losses, norms;
  for (const int64_t size : {8, 3, 1}) {
    const auto student = open_model(path("other.h5"));
    Distiller distiller(all, teacher_, logits_, 0);
    distiller.attach(*student->bert, student->store);
    losses.push_back(step(*student, distiller, size));
    norms.push_back(gradient_norm(student->store));
  }
  for (const size_t i : {1, 2}) {
    EXPECT_NEAR(losses[i], losses[0], 1e-5 * losses[0]);
    EXPECT_NEAR(norms[i], norms[0], 1e-4 * norms[0]);
  }
}

TEST_F(Distilling, UnlabelledSentencesHaveTheSoftLossOnly) {
  data_.labels[1] = data_.labels[3] = -1;
  const auto student = open_model(path("other.h5"));
  Distiller distiller({}, teacher_, logits_, 0);
  distiller.attach(*student->bert, student->store);
  step(*student, distiller);
  const Teacher other({path("other.h5")}, DType::f32);
  const Tensor z = other.logits(data_);
  double hard = 0;
  for (const int64_t i : {0, 2, 4})
    hard -=
        std::log(softmax(z.data<float>() + 2 * i, 1)[static_cast<size_t>(data_.labels[static_cast<size_t>(i)])]) / 3;
  EXPECT_NEAR(distiller.terms().at("hard_loss"), hard, 2e-6);
}

TEST_F(Distilling, AProjectionLearnsBetweenWidthsAndResumes) {
  save("random:tiny", 6, "narrow.h5");
  const TemporaryFolder& folder = folder_;
  std::vector<float> losses[2];
  for (const bool resumed : {false, true}) {
    const auto student = open_model(path("narrow.h5"));
    auto distiller =
        std::make_unique<Distiller>(DistillOptions{.hidden_weight = 1, .embedding_weight = 1}, teacher_, logits_, 7);
    distiller->attach(*student->bert, student->store);
    for (int i = 0; i < 6; ++i) {
      if (resumed && i == 3) {
        {
          Hdf5File file = Hdf5File::create(folder / "d.h5", "d.h5");
          distiller->save(file.root());
          file.close();
        }
        distiller = std::make_unique<Distiller>(DistillOptions{.hidden_weight = 1, .embedding_weight = 1}, teacher_,
                                                logits_, 8);
        distiller->attach(*student->bert, student->store);
        distiller->load(Hdf5File::open(folder / "d.h5").root());
      }
      losses[resumed].push_back(static_cast<float>(step(*student, *distiller)));
      distiller->after_step(i);
      student->store.clear_gradients();
    }
  }
  EXPECT_LT(losses[0][5], losses[0][0]);
  EXPECT_EQ(losses[0], losses[1]);
}

TEST_F(Distilling, SeveralTeachersGiveTheMeanOfTheirLogits) {
  const Teacher both({path("teacher.h5"), path("other.h5")}, DType::f32), other({path("other.h5")}, DType::f32);
  const Tensor mean = both.logits(data_), b = other.logits(data_);
  for (int64_t i = 0; i < mean.size(); ++i)
    EXPECT_NEAR(mean.data<float>()[i], (logits_.data<float>()[i] + b.data<float>()[i]) / 2, 1e-6);
  EXPECT_NE(both.fingerprint(), other.fingerprint());
}

TEST_F(Distilling, LogitsAreKeptInAFileOfTheirOwn) {
  const auto file = folder_ / "cache.h5";
  int calls = 0;
  const auto count = [&](int64_t, int64_t) { ++calls; };
  const auto same = [&](const Tensor& t) {
    for (int64_t i = 0; i < t.size(); ++i) EXPECT_EQ(t.data<float>()[i], logits_.data<float>()[i]);
  };
  same(cached_logits(*teacher_, data_, file, count));
  EXPECT_EQ(calls, 1);
  same(cached_logits(*teacher_, data_, file, count));
  EXPECT_EQ(calls, 1) << "computed once";
  const Teacher other({path("other.h5")}, DType::f32);
  expect_in(error_of<Error>([&] { cached_logits(other, data_, file); }),
            "cache.h5: holds the answers of another teacher");
  data_.ids[1] = 10;
  expect_in(error_of<Error>([&] { cached_logits(*teacher_, data_, file); }),
            "cache.h5: holds the answers to other sentences");
}

TEST_F(Distilling, StatesAreKeptInAFileToo) {
  const auto file = folder_ / "states.h5";
  int calls = 0;
  const auto open = [&](const Teacher& teacher, const StateParts& parts) {
    return TeacherStates(teacher, data_, parts, file, [&](int64_t, int64_t) { ++calls; });
  };
  const StateParts parts = {.hidden = {0, 2}, .qkv = {3}};
  const Loader loader(data_, {.batch_size = 2, .seed = 3});
  for (const DType compute : {DType::f32, DType::bf16}) {
    std::filesystem::remove(file);
    const Teacher teacher({path("teacher.h5")}, compute);
    for (int time = 0; time < 2; ++time) {
      calls = 0;
      const TeacherStates states = open(teacher, parts);
      EXPECT_EQ(calls, 1 - time) << "computed once";
      for (int64_t i = 0; i < loader.batches(); ++i) {
        const PackedBatch batch = loader.epoch(0).batch(i);
        const Activations kept = states.inside(batch), computed = teacher.inside(batch);
        const double tolerance =
            compute == DType::f32 ? 1e-4 : 0.1;  // batches of another length round in another place
        const auto same = [&](const Var& a, const Var& b) {
          ASSERT_EQ(a.shape(), b.shape());
          ASSERT_EQ(a.dtype(), b.dtype());
          const Tensor x = a.value.to(DType::f32), y = b.value.to(DType::f32);
          for (int64_t j = 0; j < x.size(); ++j) ASSERT_NEAR(x.data<float>()[j], y.data<float>()[j], tolerance);
        };
        for (const size_t part : {0, 2}) same(kept.hidden[part], computed.hidden[part]);
        same(kept.qkv[3], computed.qkv[3]);
        EXPECT_FALSE(kept.hidden[1].value) << "not asked for";
      }
    }
  }
  expect_in(error_of<Error>([&] { open(*teacher_, parts); }), "states.h5: holds the answers of another teacher");
  const Teacher teacher({path("teacher.h5")}, DType::bf16);
  expect_in(error_of<Error>([&] { open(teacher, {.hidden = {1}, .qkv = {}}); }), "states.h5: lacks 'hidden 1'");

  const auto student = open_model(path("other.h5"));
  std::vector<double> losses;
  for (const bool keep : {false, true}) {
    Distiller::KeepStates states;
    if (keep)
      states = [&](const StateParts& wanted) {
        EXPECT_EQ(wanted.hidden, (std::set<int64_t>{0, 1, 2, 3, 4}));
        EXPECT_EQ(wanted.qkv, (std::set<int64_t>{0, 1, 2, 3}));
        return std::make_unique<TeacherStates>(*teacher_, data_, wanted, folder_ / "all.h5");
      };
    Distiller distiller({.hidden_weight = 1, .attention_weight = 1, .relation_weight = 1, .embedding_weight = 1},
                        teacher_, logits_, 0, states);
    distiller.attach(*student->bert, student->store);
    losses.push_back(step(*student, distiller));
  }
  EXPECT_NEAR(losses[0], losses[1], 1e-5 * losses[0]);
}

TEST_F(Distilling, TeachersThatReadOtherTokensOrHaveOtherLabelsAreRefused) {
  const auto student = open_model(path("other.h5"));
  teacher_->check(*student, 128);
  const auto other_labels = open_model("random:mini", {.labels = {{"bad", "good"}}});
  expect_in(error_of<Error>([&] { teacher_->check(*other_labels, 128); }),
            "its labels are negative, positive, the student's bad, good");
  auto tokens = student->tokenizer.vocabulary();
  std::swap(tokens[20], tokens[21]);
  const Model swapped(student->config, WordPiece(tokens, student->tokenizer.options()));
  expect_in(error_of<Error>([&] { teacher_->check(swapped, 128); }), "token 20 of its vocabulary is");
  TokenizerOptions cased = student->tokenizer.options();
  cased.lowercase = false;
  const Model other_case(student->config, WordPiece(student->tokenizer.vocabulary(), cased));
  expect_in(error_of<Error>([&] { teacher_->check(other_case, 128); }), "treats text in another way");
  expect_in(error_of<Error>([&] { teacher_->check(*student, 100000); }), "--max-length is 100000");
}

TEST_F(Distilling, LayersAreMapped) {
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(map_layers("uniform", 3, 6), (Pairs{{0, 1}, {1, 3}, {2, 5}}));
  EXPECT_EQ(map_layers("uniform", 6, 6), (Pairs{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}}));
  EXPECT_EQ(map_layers("uniform", 4, 6), (Pairs{{0, 0}, {1, 2}, {2, 3}, {3, 5}}));
  EXPECT_EQ(map_layers("last", 2, 6), (Pairs{{0, 4}, {1, 5}}));
  EXPECT_EQ(map_layers("0:0,2:5", 3, 6), (Pairs{{0, 0}, {2, 5}}));
  for (const auto& [map, words] : {std::pair{"0:6", "the teacher has the layers 0 to 5, not 6"},
                                   {"3:1", "the student has the layers 0 to 2, not 3"},
                                   {"0:1,0:2", "student layer 0 is named twice"},
                                   {"0-1", "'0-1' is not understood"},
                                   {"", "is empty"}})
    expect_in(error_of<Error>([&] { map_layers(map, 3, 6); }), words);
  expect_in(error_of<Error>([] { map_layers("last", 7, 6); }), "the student has 7 layers, the teacher 6");
}

TEST_F(Distilling, WhatCannotBeComparedIsRefused) {
  save("random:tiny", 6, "narrow.h5");  // other heads
  const auto student = open_model(path("narrow.h5"));
  Distiller attention({.attention_weight = 1}, teacher_, logits_, 0);
  expect_in(error_of<Error>([&] { attention.attach(*student->bert, student->store); }),
            "cannot be compared with that of");
  Distiller relations({.relation_weight = 1, .relation_heads = 7}, teacher_, logits_, 0);
  expect_in(error_of<Error>([&] { relations.attach(*student->bert, student->store); }),
            "7 relation heads do not divide");
  const auto both = std::make_shared<Teacher>(std::vector{path("teacher.h5"), path("other.h5")}, DType::f32);
  Distiller two({.hidden_weight = 1}, both, logits_, 0);
  expect_in(error_of<Error>([&] { two.attach(*student->bert, student->store); }), "with one teacher, not 2");
  for (const auto& [options, words] : {std::pair{DistillOptions{.temperature = 0}, "temperature 0"},
                                       {{.alpha = 1.5}, "alpha 1.5"},
                                       {{.hidden_weight = -1}, "hidden-weight -1"},
                                       {{.hidden_loss = "l1"}, "hidden-loss l1: choose mse or cosine"}})
    expect_in(error_of<Error>([&] { Distiller(options, teacher_, logits_, 0); }), words);
}

}  // namespace
}  // namespace espalier
