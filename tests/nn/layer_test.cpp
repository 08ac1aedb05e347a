// SPDX-License-Identifier: Apache-2.0
// One encoder layer, and the two layers that it is made of.
#include "nn/layer_norm.h"
#include "nn/linear.h"

#include <gtest/gtest.h>

#include <array>

#include "core/gradcheck.h"
#include "nn/bert.h"
#include "tests/nn/golden_values.h"

namespace espalier {
namespace {

const std::vector<int32_t> offsets = {0, 3, 10, 11};

class LayerTest : public testing::TestWithParam<DType> {};

TEST_P(LayerTest, agrees_with_transformers) {
  const DType type = GetParam();
  const double tolerance = type == DType::f64 ? 1e-12 : 1e-6;
  const golden::File file("encoder.txt");
  const BertConfig config = golden_config();
  ParameterStore store;
  const EncoderLayer layer(Scope(store), config);
  fill(store, type);
  EXPECT_EQ(store.all().size(), 16U);

  Tape tape;
  LeafGrad gx;
  Context context{.tape = &tape};
  const Var y = layer(tape.leaf(golden::uniform("layer input", 0, {11, 32}, 1, type), gx), offsets, context);
  tape.backward(y, golden::uniform("layer output", 0, {11, 32}, 1, type));
  file.expect("layer/output", y.value, tolerance);
  file.expect("layer/input_gradient", gx.grad, tolerance);
  expect_gradients(file, "layer/", store, tolerance);
}

INSTANTIATE_TEST_SUITE_P(Types, LayerTest, testing::Values(DType::f32, DType::f64),
                         [](const auto& type) { return name_of(type.param); });

TEST(EncoderLayer, has_the_gradient_of_its_formula_with_dropout) {
  BertConfig config = golden_config();
  config.hidden_dropout_prob = 0.1F;
  config.attention_probs_dropout_prob = 0.2F;
  ParameterStore store;
  const EncoderLayer layer(Scope(store), config);
  fill(store, DType::f64);
  const std::array inputs = {golden::uniform("layer input", 0, {11, 32}, 1)};
  const double error = check_gradient(
      [&](std::span<const Var> x) {
        Context context{.training = true, .seed = 1, .step = 2};
        return layer(x[0], offsets, context);
      },
      inputs);
  EXPECT_LE(error, 1e-6);
}

TEST(Linear, has_the_parameters_of_its_scope) {
  ParameterStore store;
  const Linear linear(Scope(store) / "a" / "dense", 3, 5);
  EXPECT_EQ(store.at("a.dense.weight").shape, (Shape{3, 5}));
  EXPECT_EQ(store.at("a.dense.weight").role, Role::weight);
  EXPECT_EQ(store.at("a.dense.bias").shape, (Shape{3}));
  EXPECT_EQ(store.at("a.dense.bias").role, Role::bias);
  store.allocate(1);
  Context context;
  EXPECT_EQ(linear({Tensor::zeros({7, 5})}, context).shape(), (Shape{7, 3}));
  EXPECT_THROW(linear({Tensor::zeros({7, 4})}, context), Error);
}

TEST(LayerNorm, has_the_parameters_of_its_scope) {
  ParameterStore store;
  const LayerNorm norm(Scope(store) / "LayerNorm", 4);
  EXPECT_EQ(store.at("LayerNorm.weight").role, Role::norm_weight);
  EXPECT_EQ(store.at("LayerNorm.bias").role, Role::norm_bias);
  store.allocate(1);
  Context context;
  const Tensor x = Tensor::of<float>({1, 4}, std::array{1.F, 3.F, 1.F, 3.F});
  const Var y = norm.after_residual({x}, {x}, 1e-12F, {}, context);
  EXPECT_FLOAT_EQ(y.value.data<float>()[0], -1);
  EXPECT_FLOAT_EQ(y.value.data<float>()[1], 1);
}

}  // namespace
}  // namespace espalier
