// SPDX-License-Identifier: Apache-2.0
#include "core/tape.h"

#include <gtest/gtest.h>

#include <array>

#include "core/gradcheck.h"
#include "core/ops.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

// y = factor x, in f64. `at_backward` runs at the start of the backward pass; `kept` is captured until then.
Var scaled(
    const Var& x, double factor, const std::function<void()>& at_backward = [] {}, const Tensor& kept = {}) {
  Tensor y(x.shape(), x.dtype());
  for (int64_t i = 0; i < y.size(); ++i) y.data<double>()[i] = factor * x.value.data<double>()[i];
  return Tape::record("scaled", y, {&x}, [factor, at_backward, kept](const Tensor& gy, Tape::Slots& slots) {
    at_backward();
    if (auto gx = slots[0])
      for (int64_t i = 0; i < gy.size(); ++i)
        gx.to.data<double>()[i] = (gx.accumulate ? gx.to.data<double>()[i] : 0) + factor * gy.data<double>()[i];
  });
}

Tensor one(double value = 1) { return Tensor::of<double>({1}, std::array{value}); }
double number(const Tensor& t) { return *t.data<double>(); }

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "";
}

TEST(Tape, a_parameter_used_twice_gets_the_sum) {
  Tape tape;
  LeafGrad g;
  const Tensor w = one(5);
  const Var first = tape.leaf(w, g), second = tape.leaf(w, g);  // as Parameter::use makes them
  tape.backward(ops::sum(std::array{scaled(first, 2), scaled(second, 30), scaled(first, 400)}));
  EXPECT_EQ(number(g.grad), 432);
}

TEST(Tape, an_inner_value_used_twice_gets_the_sum) {
  const auto diamond = [](std::span<const Var> x) {
    const Var middle = ops::tanh(x[0]);
    const Var twice = ops::dropout_add_layer_norm(ops::gelu(middle), middle, x[1], x[2], 1e-5F, {});
    return ops::dropout_add_layer_norm(twice, middle, x[1], x[1], 1e-5F, {});
  };
  const std::array inputs = {golden::uniform("diamond", 0, {3, 7}), golden::uniform("diamond", 1, {7}),
                             golden::uniform("diamond", 2, {7})};
  EXPECT_LE(check_gradient(diamond, inputs), 1e-6);
}

TEST(Tape, steps_accumulate_until_the_owner_clears_the_flag) {
  LeafGrad g;
  const auto step = [&](double factor) {
    Tape tape;
    tape.backward(scaled(tape.leaf(one(), g), factor));
    return number(g.grad);
  };
  EXPECT_EQ(step(2), 2);
  EXPECT_EQ(step(3), 5);
  g.written = false;
  EXPECT_EQ(step(7), 7);
}

TEST(Tape, an_unused_parameter_is_not_written) {
  Tape tape;
  LeafGrad used, unused, dead_end;
  tape.leaf(one(), unused);
  const Var x = tape.leaf(one(), used);
  scaled(tape.leaf(one(), dead_end), 3);  // recorded, but the output does not depend on it
  tape.backward(scaled(x, 2));
  EXPECT_TRUE(used.written);
  EXPECT_FALSE(unused.written);
  EXPECT_FALSE(dead_end.written);
  EXPECT_FALSE(unused.grad);
}

TEST(Tape, constants_record_nothing) {
  Tape tape;
  LeafGrad g;
  const Var x = tape.leaf(one(), g);
  const size_t before = tape.size();
  const Var y = scaled(scaled({one(3)}, 2), 2);
  EXPECT_EQ(y.tape, nullptr);
  EXPECT_EQ(tape.size(), before);
  EXPECT_EQ(ops::sum(std::array{x, y}).tape, &tape);
  EXPECT_EQ(tape.size(), before + 1);
}

TEST(Tape, gradients_go_to_the_owners_buffer) {
  const Tensor flat = Tensor::zeros({4}, DType::f64);
  LeafGrad g;
  g.grad = flat.view(2, {1});
  Tape tape;
  tape.backward(scaled(tape.leaf(one(), g), 6));
  EXPECT_EQ(std::vector<double>(flat.data<double>(), flat.data<double>() + 4), (std::vector<double>{0, 0, 6, 0}));
}

TEST(Tape, what_an_op_saved_is_freed_before_the_op_below_runs) {
  Tape tape;
  LeafGrad g;
  const Tensor saved_below = one(), saved_above = one();
  bool below_alive = false, above_freed = false;
  const Var x = tape.leaf(one(), g);
  const Var below = scaled(
      x, 2,
      [&] {
        below_alive = !saved_below.unique();
        above_freed = saved_above.unique();
      },
      saved_below);
  const Var above = scaled(
      below, 2, [] {}, saved_above);
  EXPECT_FALSE(saved_above.unique());
  tape.backward(above);
  EXPECT_TRUE(below_alive);
  EXPECT_TRUE(above_freed);
  EXPECT_TRUE(saved_below.unique());
}

TEST(Tape, what_a_dead_end_saved_is_freed_as_well) {
  Tape tape;
  LeafGrad g;
  const Tensor saved = one();
  const Var x = tape.leaf(one(), g);
  scaled(
      x, 2, [] {}, saved);
  tape.backward(scaled(x, 3));
  EXPECT_TRUE(saved.unique());
}

TEST(Tape, backward_needs_two_inner_gradients_at_a_time) {
  constexpr int64_t depth = 50, size = 10'000;
  const Tensor x0 = Tensor::zeros({size}, DType::f64), seed = Tensor::zeros({size}, DType::f64);
  LeafGrad g;
  g.grad = Tensor(x0.shape(), DType::f64);
  const size_t before = storage_stats().live, one_size = x0.bytes();
  Tape tape;
  Var x = tape.leaf(x0, g);
  for (int i = 0; i < depth; ++i) x = scaled(x, 2);  // saves nothing
  const Tensor last = x.value;
  x = Var{{}, x.tape, x.id};
  EXPECT_LT(storage_stats().live, before + 3 * one_size);
  reset_storage_peak();
  tape.backward({last, &tape, x.id}, seed);
  EXPECT_LT(storage_stats().peak, before + 5 * one_size);
}

TEST(Tape, a_training_step_returns_every_buffer_to_the_pool) {
  const Tensor w = golden::uniform("pool", 0, {40, 40}, 1, DType::f32), b = Tensor::zeros({40});
  LeafGrad gw, gb;
  const auto step = [&] {
    Tape tape;
    const Var wide = ops::gelu(
        ops::linear({golden::uniform("pool", 1, {60, 40}, 1, DType::f32)}, tape.leaf(w, gw), tape.leaf(b, gb)));
    tape.backward(wide, golden::uniform("pool", 2, {60, 40}, 1, DType::f32));
  };
  step();
  const StorageStats first = storage_stats();
  step();
  const StorageStats second = storage_stats();
  EXPECT_EQ(second.live, first.live);
  EXPECT_EQ(second.pooled, first.pooled);  // nothing new was allocated
}

TEST(Tape, the_output_may_be_a_leaf) {
  Tape tape;
  LeafGrad g;
  const Var x = tape.leaf(one(), g);
  tape.backward(x, one(3));
  tape.backward(x, one(4));
  EXPECT_EQ(number(g.grad), 7);
}

TEST(Tape, names_what_is_wrong) {
  Tape tape, other;
  LeafGrad g, h;
  const Var x = tape.leaf(one(), g), y = other.leaf(one(), h);
  EXPECT_EQ(error_of([&] { (void)ops::sum(std::array{x, y}); }), "sum: inputs lie on different tapes");
  EXPECT_EQ(error_of([&] { tape.backward(y); }), "backward: the output does not lie on this tape");
  EXPECT_EQ(error_of([&] { tape.backward(Var{one()}); }), "backward: the output does not lie on this tape");
  const Var wide = tape.leaf(Tensor::zeros({2, 3}, DType::f64), h);
  EXPECT_EQ(error_of([&] { tape.backward(wide); }),
            "backward: an output of shape [2, 3] needs a seed of the same shape");
  EXPECT_EQ(error_of([&] {
              tape.backward(wide, Tensor::zeros({3, 2}, DType::f64));
            }),
            "backward: seed [3, 2] for an output of shape [2, 3]");
  EXPECT_NE(error_of([&] { tape.backward(wide, Tensor::zeros({2, 3})); }), "");  // f32 for f64
}

TEST(Tape, books_time_and_work_by_op) {
  Profile profile;
  Tape tape(&profile);
  LeafGrad g;
  const Tensor b = Tensor::zeros({3}, DType::f64);
  const Var w = tape.leaf(golden::uniform("profile", 0, {3, 4}), g);
  profile.start();
  tape.backward(ops::gelu(ops::linear({golden::uniform("profile", 1, {5, 4})}, w, {b})),
                Tensor::zeros({5, 3}, DType::f64));
  const auto& entries = profile.entries();
  ASSERT_TRUE(entries.contains({"linear", Profile::forward}));
  ASSERT_TRUE(entries.contains({"linear", Profile::backward}));
  EXPECT_EQ(entries.at({"linear", Profile::forward}).calls, 1);
  EXPECT_EQ(entries.at({"linear", Profile::forward}).flop, 2 * 5 * 4 * 3);
  EXPECT_EQ(entries.at({"linear", Profile::backward}).flop, 2 * 5 * 4 * 3);  // x is a constant
  EXPECT_TRUE(entries.contains({"gelu", Profile::backward}));
}

}  // namespace
}  // namespace espalier
