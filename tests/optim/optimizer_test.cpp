// SPDX-License-Identifier: Apache-2.0
#include "optim/optimizer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <set>

#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "nn/bert.h"
#include "optim/ema.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

constexpr int steps = 20;

// The parameters and gradients of tests/golden/adamw.py.
class OptimizerTest : public testing::Test {
 protected:
  void TearDown() override {
    kernels::set_isa(best_);
    set_threads(0);
  }

  static void make(ParameterStore& store) {
    store.add("bias", {7}, Role::bias);
    store.add("embedding", {9, 4}, Role::embedding);
    store.add("norm", {6}, Role::norm_weight);
    store.add("unused", {3}, Role::weight);
    store.add("weight", {5, 70}, Role::weight);
    store.allocate(1);
    store.make_gradients();
    for (Parameter* p : store.all()) p->value.copy_from(golden::uniform(p->name, 1000, p->shape, 1, DType::f32));
  }

  // The embedding's gradient by rows, with rubbish between them, or whole, with zeros.
  static void set_gradients(ParameterStore& store, int step, bool by_rows) {
    for (Parameter* p : store.all()) {
      if (p->name == "unused") continue;
      p->grad.written = true;
      p->grad.grad.copy_from(
          golden::uniform(p->name, static_cast<uint64_t>(step), p->shape, 0.5 * (1 + step % 3), DType::f32));
    }
    LeafGrad& table = store.at("embedding").grad;
    const std::set<int32_t> touched = {step % 9, (3 * step + 1) % 9, step * step % 9};
    table.by_rows = by_rows;
    table.rows->clear();
    for (const int32_t row : touched)
      if (by_rows) table.rows->insert(row);
    for (int32_t row = 0; row < 9; ++row)
      if (!touched.contains(row))
        for (float& v : table.grad.view(row * 4, {4}).span<float>()) v = by_rows ? std::nanf("") : 0;
  }

  static double rate(int step) { return 0.01 * (steps - step) / steps; }

  static bool is_golden(int step) { return step == 0 || step == 4 || step == steps - 1; }

  // Values, to the tolerance, and moments are the file's below `key`.
  static void expect_state(const golden::File& file, const std::string& key, const ParameterStore& store,
                           const Optimizer& optimizer, double tolerance) {
    for (const Parameter* p : store.all()) {
      const std::string name = key + "/" + p->name;
      file.expect(name, p->value, tolerance);
      if (p->name == "unused") continue;
      file.expect(name + "/m", optimizer.first_moments().view(p->first, p->shape), 1e-6);
      file.expect(name + "/v", optimizer.second_moments().view(p->first, p->shape), 1e-6);
    }
  }

  static std::vector<float> state(const ParameterStore& store, const Optimizer& optimizer) {
    std::vector<float> all;
    for (const Tensor& t : {store.values(), optimizer.first_moments(), optimizer.second_moments()})
      all.insert(all.end(), t.data<float>(), t.data<float>() + t.size());
    return all;
  }

  // What `steps` steps of training leave behind.
  static std::vector<float> train(bool by_rows, Rule rule = Rule::adamw) {
    ParameterStore store;
    make(store);
    Optimizer optimizer(store, {.rule = rule, .weight_decay = 0.1});
    for (int step = 0; step < steps; ++step) {
      set_gradients(store, step, by_rows);
      optimizer.step(rate(step), clip_factor(gradient_norm(store), 8));
    }
    return state(store, optimizer);
  }

  const std::string best_ = kernels::current_isa();
};

TEST_F(OptimizerTest, twenty_steps_agree_with_pytorch) {
  const golden::File file("adamw.txt");
  for (const std::string& isa : kernels::available_isas()) {
    SCOPED_TRACE(isa);
    kernels::set_isa(isa);
    ParameterStore store;
    make(store);
    Optimizer optimizer(store, {.weight_decay = 0.1});
    for (int step = 0; step < steps; ++step) {
      set_gradients(store, step, true);
      const double norm = gradient_norm(store);
      EXPECT_NEAR(norm, file.at("norms")[static_cast<size_t>(step)], 1e-6 * norm);
      optimizer.step(rate(step), clip_factor(norm, 8));
      if (is_golden(step)) expect_state(file, "step" + std::to_string(step), store, optimizer, 3e-7);
    }
  }
}

TEST_F(OptimizerTest, twenty_steps_of_lamb_agree_with_pytorch) {
  const golden::File file("adamw.txt");
  for (const std::string& isa : kernels::available_isas())
    for (const bool by_rows : {true, false}) {
      SCOPED_TRACE(isa);
      kernels::set_isa(isa);
      ParameterStore store;
      make(store);
      Optimizer optimizer(store, {.rule = Rule::lamb, .weight_decay = 0.1});
      for (int step = 0; step < steps; ++step) {
        set_gradients(store, step, by_rows);
        optimizer.step(rate(step), clip_factor(gradient_norm(store), 8));
        if (is_golden(step)) expect_state(file, "lamb" + std::to_string(step), store, optimizer, 1e-6);
      }
    }
}

TEST_F(OptimizerTest, lamb_trusts_no_tensor_of_zeros) {
  ParameterStore store;
  make(store);
  store.values().fill_zero();
  for (Parameter* p : store.all()) {
    p->grad.grad.fill_zero();
    p->grad.written = p->name != "unused";
  }
  store.at("weight").grad.grad.data<float>()[3] = 2;
  Optimizer optimizer(store, {.rule = Rule::lamb});
  optimizer.step(0.1);
  for (const Parameter* p : store.all())
    for (int64_t i = 0; i < p->value.size(); ++i)
      EXPECT_NEAR(p->value.data<float>()[i], p->name == "weight" && i == 3 ? -0.1 : 0, 1e-6) << p->name;
  EXPECT_EQ(optimizer.describe().substr(0, 43), "LAMB: trust ratios, and weight decay 0.01 o");
}

TEST_F(OptimizerTest, shares_of_the_rate_a_frozen_parameter_and_the_average_agree_with_pytorch) {
  const golden::File file("adamw.txt");
  ParameterStore store;
  make(store);
  const std::map<std::string, double> shares = {{"embedding", std::pow(0.8, 4)}, {"weight", 0.8}};
  for (const auto& [name, share] : shares) store.at(name).rate_share = share;
  store.at("norm").frozen = true;
  Optimizer optimizer(store, {.weight_decay = 0.1});
  Ema average(store, 0.9);
  for (int step = 0; step < steps; ++step) {
    set_gradients(store, step, true);
    store.at("norm").grad.written = false;  // as a tape leaves it
    optimizer.step(rate(step), clip_factor(gradient_norm(store), 8));
    average.update(step + 1);
    if (step != 0 && step != 4 && step != steps - 1) continue;
    for (const Parameter* p : store.all()) file.expect("shares" + std::to_string(step) + "/" + p->name, p->value, 3e-7);
    const Ema::InUse averaged(&average);
    for (const Parameter* p : store.all())
      file.expect("average" + std::to_string(step) + "/" + p->name, p->value, 3e-7);
  }
}

TEST_F(OptimizerTest, a_gradient_by_rows_is_a_whole_one_with_zeros) { EXPECT_EQ(train(true), train(false)); }

TEST_F(OptimizerTest, a_step_forgets_the_gradients) {
  ParameterStore store;
  make(store);
  Optimizer optimizer(store, {});
  set_gradients(store, 0, true);
  optimizer.step(0.01);
  for (const Parameter* p : store.all()) EXPECT_FALSE(p->grad.written) << p->name;
  const std::vector<float> before = state(store, optimizer);
  optimizer.step(0.01);  // nothing has a gradient: nothing moves
  EXPECT_EQ(state(store, optimizer), before);
  EXPECT_EQ(optimizer.steps(), 2);
}

TEST_F(OptimizerTest, decay_acts_on_weights_and_embeddings_only) {
  ParameterStore store;
  make(store);
  for (Parameter* p : store.all()) {
    std::fill_n(p->value.data<float>(), p->value.size(), 1.0F);
    p->grad.grad.fill_zero();
    p->grad.written = p->name != "unused";
  }
  Optimizer optimizer(store, {.weight_decay = 0.5});
  optimizer.step(0.1);
  for (const Parameter* p : store.all()) {
    const bool decayed = p->name == "weight" || p->name == "embedding";
    EXPECT_EQ(decays(p->role), decayed || p->name == "unused");
    for (const float v : p->value.span<float>()) EXPECT_FLOAT_EQ(v, decayed ? 0.95F : 1.0F) << p->name;
  }
  EXPECT_EQ(optimizer.describe(),
            "AdamW: weight decay 0.5 on 3 weight and embedding tensors (389 parameters), none on 2 bias and layer-norm "
            "tensors (13)");
}

TEST_F(OptimizerTest, continues_from_saved_moments_with_the_same_bits) {
  for (const Rule rule : {Rule::adamw, Rule::lamb}) {
    ParameterStore store, resumed_store;
    make(store);
    make(resumed_store);
    Optimizer optimizer(store, {.rule = rule}), resumed(resumed_store, {.rule = rule});
    for (int step = 0; step < 10; ++step) {
      if (step == 5) {
        resumed_store.values().copy_from(store.values());
        resumed.set_moments(optimizer.first_moments(), optimizer.second_moments());
        resumed.set_steps(optimizer.steps());
      }
      set_gradients(store, step, true);
      optimizer.step(rate(step));
      if (step < 5) continue;
      set_gradients(resumed_store, step, true);
      resumed.step(rate(step));
    }
    EXPECT_EQ(state(resumed_store, resumed), state(store, optimizer));
  }
}

// Several pieces of work, a table of which every other row is touched, and one without a gradient.
class LargeStoreTest : public OptimizerTest {
 protected:
  LargeStoreTest() {
    store_.add("table", {3000, 40}, Role::embedding);
    store_.add("unused", {1000}, Role::weight);
    store_.add("weight", {500, 301}, Role::weight);
    store_.allocate(1);
    store_.make_gradients();
    std::fill_n(store_.gradients().data<float>(), store_.gradients().size(), std::nanf(""));
    renew();
  }
  void renew() {
    for (Parameter* p : store_.all()) {
      p->grad.written = p->name != "unused";
      if (!p->grad.written) continue;
      p->grad.grad.copy_from(golden::uniform(p->name, 0, p->shape, 1, DType::f32));
    }
    LeafGrad& table = store_.at("table").grad;
    table.by_rows = true;
    table.rows->clear();
    for (int32_t row = 0; row < 3000; ++row) {
      if (row % 2 == 0 || row > 2500)
        table.rows->insert(row);
      else
        for (float& v : table.grad.view(row * 40, {40}).span<float>()) v = std::nanf("");
    }
  }
  ParameterStore store_;
};

TEST_F(LargeStoreTest, any_number_of_threads_gives_the_same_bits) {
  const Tensor start = store_.values().clone();
  std::vector<float> first;
  double first_norm = 0;
  for (const int threads : {1, 2, 3}) {
    set_threads(threads);
    store_.values().copy_from(start);
    Optimizer optimizer(store_, {});
    for (int step = 0; step < 3; ++step) {
      renew();
      const double norm = gradient_norm(store_);
      if (threads == 1) first_norm = norm;
      EXPECT_EQ(norm, first_norm);
      optimizer.step(0.01, clip_factor(norm, 1));
    }
    if (threads == 1) first = state(store_, optimizer);
    EXPECT_EQ(state(store_, optimizer), first) << threads;
  }
}

TEST_F(LargeStoreTest, the_norm_counts_what_was_written) {
  double squares = 0;
  for (const Parameter* p : store_.all())
    for (int64_t i = 0; i < p->value.size(); ++i)
      if (p->name == "weight" || (p->name == "table" && p->grad.rows->contains(i / 40)))
        squares += std::pow(static_cast<double>(p->grad.grad.data<float>()[i]), 2);
  EXPECT_NEAR(gradient_norm(store_), std::sqrt(squares), 1e-6 * std::sqrt(squares));
  store_.clear_gradients();
  EXPECT_EQ(gradient_norm(store_), 0);
}

// The rows that a batch reads are brought up to date before anything has looked at its ids.
TEST(Optimizer, an_id_out_of_range_is_an_error_after_a_step_too) {
  BertConfig config = BertConfig::of_size("tiny");
  config.vocab_size = 3000;  // large enough for deferred rows
  config.num_hidden_layers = 1;
  ParameterStore store;
  const Bert model(store, config);
  store.allocate(1);
  Optimizer optimizer(store, {});
  PackedBatch batch{.ids = {5, 7}, .segments = {0, 0}, .offsets = {0, 2}, .labels = {1}, .rows = {0}};
  Tape tape;
  Context context{.tape = &tape};
  tape.backward(ops::cross_entropy(model(batch, context), batch.labels, 1));
  optimizer.step(0.1);
  Context evaluation;
  for (const int32_t id : {3000, -1, std::numeric_limits<int32_t>::max()}) {
    batch.ids[1] = id;
    EXPECT_THROW(model(batch, evaluation), Error) << id;
  }
}

TEST(Clip, brings_a_norm_down_to_the_limit) {
  EXPECT_EQ(clip_factor(10, 0), 1);
  EXPECT_EQ(clip_factor(0.5, 1), 1);
  EXPECT_EQ(clip_factor(0, 1), 1);
  EXPECT_DOUBLE_EQ(clip_factor(10, 1), 1 / (10 + 1e-6));  // as PyTorch
  EXPECT_DOUBLE_EQ(clip_factor(1, 1), 1 / (1 + 1e-6));
  EXPECT_EQ(clip_factor(std::numeric_limits<double>::infinity(), 1), 0);
}

}  // namespace
}  // namespace espalier
