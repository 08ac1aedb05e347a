// SPDX-License-Identifier: Apache-2.0
// The form in which a Linear's products read its weight: who chooses it, and that it follows the value.
#include "nn/linear.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "nn/integers.h"
#include "nn/mask.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

constexpr int64_t out = 70, in = 40;

struct Doubled : WeightTransform {
  Var apply(const Var& w, const Context& /*context*/) override {
    const Tensor y = w.value.clone();
    for (float& v : y.span<float>()) v *= 2;
    return {y, w.tape, w.id};
  }
};

struct Layer {
  Layer() : linear(Scope(store), out, in) { store.allocate(3, 1); }
  std::vector<float> answer(DType compute) const {
    const Context context;
    const Var x{golden::uniform("x", 0, {9, in}, 1, DType::f32)};
    const Tensor y = linear(x, context, compute, DType::f32).value;
    return {y.span<float>().begin(), y.span<float>().end()};
  }
  ParameterStore store;
  Linear linear;
};

template <class Form>
bool reads(const Linear& linear) {
  return as<Form>(linear.form()) != nullptr;
}
bool reads_value(const Linear& linear) { return std::holds_alternative<std::monostate>(linear.form()); }

TEST(LinearForm, FollowsPrecisionAndUse) {
  Layer layer;
  Linear& linear = layer.linear;
  EXPECT_TRUE(reads_value(linear)) << "before anybody has asked for another one";
  linear.prepare(DType::bf16, Use::training);
  EXPECT_TRUE(reads<PackedWeight>(linear) && linear.weight.has_copy());
  for (const DType compute : {DType::f32, DType::bf16}) {
    linear.prepare(compute, Use::inference);
    EXPECT_TRUE(reads<InferenceWeight>(linear) && !linear.weight.has_copy());
  }
  linear.prepare(DType::f32, Use::training);
  EXPECT_TRUE(reads_value(linear) && !linear.weight.has_copy());
}

TEST(LinearForm, IsTheTransformedValueWhereATransformChangesIt) {
  Layer layer;
  Linear& linear = layer.linear;
  linear.prepare(DType::bf16, Use::training);
  hold(linear.weight, Mask::bits_of(linear.weight.shape, true));
  EXPECT_TRUE(reads<PackedWeight>(linear)) << "a mask that is final lets the value through";
  mask_of(linear.weight).set(Mask::bits_of(linear.weight.shape, false));
  EXPECT_TRUE(reads_value(linear) && !linear.weight.has_copy());
  linear.weight.transforms = {std::make_shared<Doubled>()};
  EXPECT_TRUE(reads_value(linear));
}

TEST(LinearForm, IsTheIntegersOfAnInt8Weight) {
  Layer layer;
  Linear& linear = layer.linear;
  linear.prepare(DType::bf16, Use::training);
  const auto [q, grid] = quantize_rows(linear.weight.value, 8);
  set_integers(linear.weight, std::make_shared<QuantizedWeight>(q, grid, 8, std::nullopt));
  EXPECT_TRUE(std::ranges::equal(linear.weight.value.span<float>(), dequantize(q, grid).span<float>()));
  for (const Use use : {Use::training, Use::inference}) {
    EXPECT_TRUE(reads<QuantizedWeight>(linear));
    linear.prepare(DType::f32, use);
  }
  EXPECT_TRUE(linear.weight.keeps_value());
  set_integers(linear.weight, nullptr);
  EXPECT_EQ(linear.weight.integers(), nullptr);
  EXPECT_TRUE(linear.weight.transforms.empty() && reads_value(linear)) << "nothing else was prepared meanwhile";
}

TEST(LinearForm, APackedCopyFollowsUpdates) {
  Layer layer, fresh;
  layer.linear.prepare(DType::bf16, Use::training);
  const auto before = layer.answer(DType::bf16);
  for (Layer* changed : {&layer, &fresh})
    for (int64_t i = 32 * in; i < out * in; ++i) changed->linear.weight.value.data<float>()[i] *= 3;
  EXPECT_EQ(layer.answer(DType::bf16), before) << "nobody has said so yet";
  layer.linear.weight.updated(32 * in, (out - 32) * in);
  EXPECT_NE(layer.answer(DType::bf16), before);
  EXPECT_EQ(layer.answer(DType::bf16), fresh.answer(DType::bf16));
}

}  // namespace
}  // namespace espalier
