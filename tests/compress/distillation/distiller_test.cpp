// SPDX-License-Identifier: Apache-2.0
// Distillation: the loss is the formula, term by term; layers are mapped.
#include "compress/distillation/distiller.h"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/cutting/layers.h"
#include "tests/compress/distillation/distilling.h"

namespace espalier {
namespace {

std::vector<double> softmax(const float* z, double temperature) {
  const double a = std::exp(z[0] / temperature), b = std::exp(z[1] / temperature);
  return {a / (a + b), b / (a + b)};
}

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
                              .hidden_loss = HiddenLoss::cosine,
                              .attention_loss = AttentionLoss::mse,
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
  data_.labels = {data_.labels[0], -1, data_.labels[2], -1, data_.labels[4]};
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

TEST_F(Distilling, LayersAreMapped) {
  using Pairs = std::vector<std::pair<int64_t, int64_t>>;
  EXPECT_EQ(LayerMap("uniform").pairs(3, 6), (Pairs{{0, 1}, {1, 3}, {2, 5}}));
  EXPECT_EQ(LayerMap("uniform").pairs(6, 6), (Pairs{{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}}));
  EXPECT_EQ(LayerMap("uniform").pairs(4, 6), (Pairs{{0, 0}, {1, 2}, {2, 3}, {3, 5}}));
  EXPECT_EQ(LayerMap("last").pairs(2, 6), (Pairs{{0, 4}, {1, 5}}));
  EXPECT_EQ(LayerMap("0:0,2:5").pairs(3, 6), (Pairs{{0, 0}, {2, 5}}));
  for (const auto& [map, words] : {std::pair{"0:6", "the teacher has the layers 0 to 5, not 6"},
                                   {"3:1", "the student has the layers 0 to 2, not 3"},
                                   {"0:1,0:2", "student layer 0 is named twice"},
                                   {"0-1", "'0-1' is not understood"},
                                   {"", "is empty"}})
    expect_in(error_of<Error>([map = map] { LayerMap(map).pairs(3, 6); }), words);
  expect_in(error_of<Error>([] { LayerMap("last").pairs(7, 6); }), "the student has 7 layers, the teacher 6");
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
                                       {{.hidden_weight = -1}, "hidden-weight -1"}})
    expect_in(error_of<Error>([&, options = options] { Distiller(options, teacher_, logits_, 0); }), words);
}

}  // namespace
}  // namespace espalier
