// SPDX-License-Identifier: Apache-2.0
// What the criteria score: closed forms.
#include "compress/pruning/criteria/criterion.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/compress/pruning/small_model.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

TEST(Criterion, TaylorIsTheSumOfAbsoluteProductsOverTheSteps) {
  ParameterStore store;
  Parameter& p = Scope(store).parameter("w", {2, 3}, Role::weight);
  store.allocate(1, 1);
  store.make_gradients();
  const auto taylor = taylor_criterion();
  taylor->attach(*open_model(small_model.string())->bert, std::vector<Parameter*>{&p});
  for (const float g : {2.0F, -3.0F}) {
    p.grad.written = true;
    for (float& v : p.grad.grad.span<float>()) v = g;
    taylor->after_backward();
  }
  p.grad.written = false;
  taylor->after_backward();
  for (int64_t i = 0; i < 6; ++i)
    EXPECT_FLOAT_EQ(taylor->scores(p).data<float>()[i], 5 * std::abs(p.value.data<float>()[i])) << i;
}

// A score starts at |w| / rms(w) and rises when the loss pushes the weight away from zero, whether it is masked or not.
TEST(Criterion, MovementScoresFollowTheStraightThroughGradient) {
  ParameterStore store;
  Parameter& p = Scope(store).parameter("w", {2, 8}, Role::weight);
  store.allocate(1, 1);
  const Tensor half = Tensor::of<uint8_t>({2}, std::vector<uint8_t>{0x55, 0x55});
  const auto movement = movement_criterion({.learning_rate = 0.25});
  movement->attach(*open_model(small_model.string())->bert, std::vector<Parameter*>{&p});
  mask_of(p).set(half);
  const Tensor g = golden::uniform("g", 0, p.shape, 2, DType::f32);
  double squares = 0;
  for (const float v : p.value.span<float>()) squares += static_cast<double>(v) * static_cast<double>(v);
  Tape tape;
  const Var w = p.use({.tape = &tape});
  tape.backward(w, g);
  movement->after_backward();
  movement->after_step();
  for (int64_t i = 0; i < 16; ++i) {
    const float v = p.value.data<float>()[i], direction = g.data<float>()[i] * v;
    const double start = std::abs(static_cast<double>(v)) / std::sqrt(squares / 16);
    EXPECT_NEAR(movement->scores(p).data<float>()[i] - start, direction > 0 ? -0.25 : 0.25, 1e-4)
        << i << ": AdamW's first step is the rate";
  }
  movement->finish();
  Tape later;
  const size_t before = later.size();
  p.use({.tape = &later});
  EXPECT_EQ(later.size() - before, 2U) << "the weight and its mask, no scores";
}

// |w| times the norms of the inputs over two batches: a closed form of what the first layer's query, key and value see.
TEST(Criterion, WandaIsTheWeightTimesTheNormOfItsInput) {
  const auto model = open_model(small_model.string());
  const EncoderLayer& layer = model->bert->layers()[0];
  const auto wanda = wanda_criterion();
  wanda->attach(*model->bert, std::vector<Parameter*>{&layer.key.weight, &layer.output.weight});
  const std::vector<std::vector<int32_t>> batches = {{2, 5, 8, 7, 3}, {2, 9, 3}};
  std::vector<double> squares(static_cast<size_t>(model->config.hidden_size));
  for (const auto& ids : batches) {
    Tape tape;
    Context context{.tape = &tape}, without;
    (*model->bert)(batch_of(ids), context);
    (*model->bert)(batch_of({2, 6, 6, 3}), without);  // an evaluation is not looked at
    const Tensor x =
        ops::embedding(batch_of(ids).ids, batch_of(ids).segments, batch_of(ids).offsets,
                       model->store.at("bert.embeddings.word_embeddings.weight").use({}),
                       model->store.at("bert.embeddings.position_embeddings.weight").use({}),
                       model->store.at("bert.embeddings.token_type_embeddings.weight").use({}),
                       model->store.at("bert.embeddings.LayerNorm.weight").use({}),
                       model->store.at("bert.embeddings.LayerNorm.bias").use({}), model->config.layer_norm_eps)
            .value;
    for (int64_t i = 0; i < x.size(); ++i)
      squares[static_cast<size_t>(i % x.cols())] += std::pow(static_cast<double>(x.data<float>()[i]), 2);
  }
  const Tensor scores = wanda->scores(layer.key.weight);
  for (int64_t i = 0; i < scores.size(); ++i)
    EXPECT_NEAR(scores.data<float>()[i],
                std::abs(layer.key.weight.value.data<float>()[i]) *
                    std::sqrt(squares[static_cast<size_t>(i % layer.key.weight.shape.cols())]),
                1e-5)
        << i;
  expect_in(error_of<Error>([&] {
              wanda_criterion()->attach(*model->bert,
                                        std::vector<Parameter*>{&model->store.at("bert.pooler.dense.weight")});
            }),
            "wanda knows the inputs of the encoder's linear layers only, not of bert.pooler.dense.weight");
}

// The regulariser alone pulls every score down, and a threshold takes what falls below it.
TEST(Criterion, SoftMovementPullsScoresDown) {
  ParameterStore store;
  Parameter& p = Scope(store).parameter("w", {2, 8}, Role::weight);
  store.allocate(1, 1);
  const auto movement = movement_criterion({.learning_rate = 0.5, .soft = true, .regularization = 16});
  movement->attach(*open_model(small_model.string())->bert, std::vector<Parameter*>{&p});
  Tape tape;
  const Var w = p.use({.tape = &tape});
  const Tensor g = Tensor::zeros(p.shape);
  g.data<float>()[3] = -100 / p.value.data<float>()[3];  // this one's loss gradient wins: gs = -100 + 16 / 16 / 4
  tape.backward(w, g);
  movement->after_backward();
  movement->after_step();
  for (int64_t i = 0; i < 16; ++i) EXPECT_NEAR(movement->scores(p).data<float>()[i], i == 3 ? 0.5 : -0.5, 1e-4) << i;
}

}  // namespace
}  // namespace espalier
