// SPDX-License-Identifier: Apache-2.0
// Mask as a WeightTransform, the op behind it, and the laws: zero stays zero.
#include "nn/mask.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/ops.h"
#include "nn/linear.h"
#include "optim/optimizer.h"
#include "tests/golden/golden.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

Tensor bits(const std::vector<uint8_t>& bytes) { return Tensor::of<uint8_t>({std::ssize(bytes)}, bytes); }

TEST(Mask, KeepsEverythingAtFirst) {
  for (const int64_t n : {1, 7, 8, 9, 24}) {
    const Mask mask({n});
    EXPECT_EQ(mask.kept(), n);
    for (int64_t i = 0; i < n; ++i) EXPECT_TRUE(mask.keeps(i));
  }
}

TEST(Mask, MaskedElementsAreZeroWhateverTheyWere) {
  const float nan = std::nanf(""), infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> w = {1, nan, -3, infinity, 5, 6, -0.0F, 8, nan, 10};
  Mask mask({2, 5});
  mask.set(bits({0b10110101, 0b10}));
  EXPECT_EQ(mask.kept(), 6);
  const Tensor y = mask.apply({Tensor::of<float>({2, 5}, w)}, {}).value;
  const std::vector<float> expected = {1, 0, -3, 0, 5, 6, 0, 8, 0, 10};
  for (int64_t i = 0; i < 10; ++i) {
    EXPECT_EQ(y.data<float>()[i], expected[static_cast<size_t>(i)]) << i;
    EXPECT_TRUE(mask.keeps(i) || !std::signbit(y.data<float>()[i])) << i;
  }
}

TEST(Mask, WrongMasksAreErrors) {
  Mask mask({3, 4});
  expect_in(error_of<Error>([&] {
              mask.set(bits({1, 2, 3}));
            }),
            "u8[3]; expected one bit for each element of [3, 4], u8[2]");
  expect_in(error_of<Error>([&] { mask.set(Tensor::zeros({2})); }), "f32[2]");
  expect_in(error_of<Error>([&] { mask.set(bits({255, 0x1f})); }), "bits behind the last element of [3, 4]");
  EXPECT_EQ(mask.kept(), 12) << "as it was";
}

TEST(Mask, SavedMasksComeBackAndOthersAreRefused) {
  const TemporaryFolder folder;
  const auto path = folder / "m.h5";
  Mask mask({3, 4});
  mask.set(bits({0x5a, 0x0c}));
  {
    Hdf5File file = Hdf5File::create(path, path.string());
    mask.save(file.root(), "w");
    file.close();
  }
  const Hdf5File file = Hdf5File::open(path);
  Mask again({3, 4}), other({17});
  again.load(file.root(), "w");
  EXPECT_EQ(again.bits().span<uint8_t>()[0], 0x5a);
  EXPECT_EQ(again.bits().span<uint8_t>()[1], 0x0c);
  expect_in(error_of<Error>([&] { other.load(file.root(), "w"); }),
            "m.h5: /w is u8[2]; expected one bit for each element of [17]");
}

// The scores' gradient is not the derivative but the one that the op promises.
TEST(ApplyMask, ScoresGetTheStraightThroughGradient) {
  const Shape shape{9, 5};
  const Tensor w = golden::uniform("w", 0, shape), s = golden::uniform("s", 0, shape),
               g = golden::uniform("g", 0, shape);
  const Tensor keep = Tensor::zeros({6}, DType::u8);
  for (int64_t i = 0; i < 45; ++i)
    if (s.data<double>()[i] > 0.2) keep.data<uint8_t>()[i / 8] |= static_cast<uint8_t>(1U << (i % 8));
  for (const int times : {1, 2}) {
    LeafGrad gw, gs;
    Tape tape;
    const Var weights = tape.leaf(w, gw), scores = tape.leaf(s, gs);
    Var y;
    for (int k = 0; k < times; ++k) {
      y = ops::apply_mask(weights, keep, scores);
      tape.backward(y, g);
    }
    for (int64_t i = 0; i < 45; ++i) {
      const bool kept = s.data<double>()[i] > 0.2;
      EXPECT_EQ(y.value.data<double>()[i], kept ? w.data<double>()[i] : 0);
      EXPECT_EQ(gw.grad.data<double>()[i], kept ? times * g.data<double>()[i] : 0);
      EXPECT_DOUBLE_EQ(gs.grad.data<double>()[i], times * g.data<double>()[i] * w.data<double>()[i]);
    }
  }
  EXPECT_THROW(ops::apply_mask({w}, keep, {golden::uniform("s", 0, {5, 9})}), Error);
}

struct Small {
  Small() : p(Scope(store).parameter("w", {7, 9}, Role::weight)) {
    store.allocate(3, 1);
    Tensor half = Mask::bits_of(p.shape, true).clone();
    for (size_t i = 0; i < 8; ++i) half.span<uint8_t>()[i] &= 0x55;
    mask_of(p).set(half);
  }
  ParameterStore store;
  Parameter& p;
};

TEST(Mask, ZerosSurviveTwoHundredStepsOfAdamWWithDecay) {
  Small s;
  Optimizer optimizer(s.store, {.weight_decay = 0.1});
  const Tensor before = s.p.value.clone();
  for (int step = 0; step < 200; ++step) {
    Tape tape;
    const Var w = s.p.use({.tape = &tape});
    for (int64_t i = 0; i < 63; ++i) ASSERT_TRUE(mask_of(s.p).keeps(i) || w.value.data<float>()[i] == 0) << step;
    tape.backward(w, golden::uniform("g", static_cast<uint64_t>(step), {7, 9}, 2, DType::f32));
    for (int64_t i = 0; i < 63; ++i)
      ASSERT_TRUE(mask_of(s.p).keeps(i) || s.p.grad.grad.data<float>()[i] == 0) << "a masked weight gets no gradient";
    optimizer.step(0.05);
  }
  int moved = 0;
  for (int64_t i = 0; i < 63; ++i) moved += s.p.use({}).value.data<float>()[i] != before.data<float>()[i] ? 1 : 0;
  EXPECT_EQ(moved, 63) << "kept weights have trained, the others are zero";
}

// A mask that is final is nothing but faster: the same bits in each step, in f32 and in bf16 products.
TEST(Mask, FixedMasksTrainTheSameBits) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    const auto trained = [&](bool fixed) {
      ParameterStore store;
      Linear linear(Scope(store), 40, 34);
      store.allocate(3, 1);
      linear.prepare(compute, Use::training);
      Tensor half = Mask::bits_of(linear.weight.shape, true).clone();
      for (uint8_t& byte : half.span<uint8_t>()) byte = 0x6b;
      mask_of(linear.weight).set(half);
      Optimizer optimizer(store, {.weight_decay = 0.1});
      std::vector<float> seen;
      for (int step = 0; step < 200; ++step) {
        if (fixed && step == 3) mask_of(linear.weight).fix(linear.weight);
        Tape tape;
        Context context{.tape = &tape};
        const auto at = static_cast<uint64_t>(step);
        const Var y = linear(Var{golden::uniform("x", at, {9, 34}, 1, DType::f32)}, context, compute, DType::f32);
        tape.backward(y, golden::uniform("g", at, {9, 40}, 1, DType::f32));
        optimizer.step(0.05);
        if (step % 50 == 49) seen.insert(seen.end(), y.value.span<float>().begin(), y.value.span<float>().end());
      }
      for (int64_t i = 0; i < linear.weight.shape.size(); ++i) {
        EXPECT_TRUE(mask_of(linear.weight).keeps(i) || linear.weight.use({}).value.data<float>()[i] == 0);
        EXPECT_TRUE(!fixed || mask_of(linear.weight).keeps(i) || linear.weight.value.data<float>()[i] == 0);
      }
      EXPECT_EQ(as<PackedWeight>(linear.form()) != nullptr, fixed && compute == DType::bf16);
      mask_of(linear.weight).set(Mask::bits_of(linear.weight.shape, true));
      EXPECT_EQ(linear.form().index(), 0U) << "another mask is not final yet";
      return seen;
    };
    EXPECT_EQ(trained(true), trained(false));
  }
}

TEST(Mask, BakingTwiceIsBakingOnceAndChangesNoForwardValue) {
  Small s;
  const Tensor seen = s.p.use({}).value.clone();
  bake_masks(s.store);
  const Tensor once = s.p.value.clone();
  bake_masks(s.store);
  for (int64_t i = 0; i < 63; ++i) {
    EXPECT_EQ(once.data<float>()[i], seen.data<float>()[i]);
    EXPECT_EQ(s.p.value.data<float>()[i], once.data<float>()[i]);
    EXPECT_EQ(s.p.use({}).value.data<float>()[i], seen.data<float>()[i]);
  }
}

TEST(Mask, MasksOfAPrunedModelAreHeld) {
  Small s;
  const PrunedMasks masks = masks_of(s.store);
  ASSERT_EQ(masks.size(), 1U);
  const int64_t kept = mask_of(s.p).kept();
  s.p.transforms.clear();
  EXPECT_TRUE(masks_of(s.store).empty());
  hold(s.p, masks.at("w"));
  hold(s.p, masks.at("w"));
  EXPECT_EQ(mask_of(s.p).kept(), kept);
  EXPECT_EQ(s.p.transforms.size(), 1U) << "one mask, not two";
  EXPECT_TRUE(s.p.keeps_value()) << "the stored zeros are what the forward pass sees";
  for (int64_t i = 0; i < 63; ++i) EXPECT_TRUE(mask_of(s.p).keeps(i) || s.p.value.data<float>()[i] == 0);
  EXPECT_THROW(hold(s.p, Tensor::zeros({9}, DType::u8)), Error);
}

}  // namespace
}  // namespace espalier
