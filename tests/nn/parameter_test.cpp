// SPDX-License-Identifier: Apache-2.0
#include "nn/parameter.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "core/ops.h"

namespace espalier {
namespace {

std::string error_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) { return e.what(); }
  return "";
}

TEST(ParameterStore, names_what_is_wrong) {
  ParameterStore store;
  const Scope s = Scope(store) / "bert" / "layer" / 3;
  s.parameter("weight", {2, 3}, Role::weight);
  EXPECT_EQ(error_of([&] {
              s.parameter("weight", {2, 3}, Role::weight);
            }),
            "parameters: bert.layer.3.weight exists already");
  EXPECT_EQ(error_of([&] { (void)store.at("bert.layer.4.weight"); }), "parameters: there is no bert.layer.4.weight");
  EXPECT_EQ(store.find("bert.layer.4.weight"), nullptr);
  EXPECT_EQ(&store.at("bert.layer.3.weight"), store.find("bert.layer.3.weight"));
  store.allocate(1);
  EXPECT_NE(error_of([&] { s.parameter("late", {1}, Role::bias); }).find("bert.layer.3.late"), std::string::npos);
  EXPECT_NE(error_of([&] { store.allocate(1); }), "");
}

TEST(ParameterStore, lies_flat_and_sorted_by_name) {
  ParameterStore store;
  Parameter& c = store.add("c", {17}, Role::bias);
  Parameter& a = store.add("a", {3, 5}, Role::weight);
  Parameter& b = store.add("b", {1}, Role::norm_weight);
  store.allocate(1);
  EXPECT_EQ(store.all(), (std::vector<Parameter*>{&a, &b, &c}));
  EXPECT_EQ(store.count(), 15 + 1 + 17);
  EXPECT_EQ(store.values().size(), 16 + 16 + 32);
  for (const Parameter* p : store.all()) {
    EXPECT_EQ(p->first % 16, 0);
    EXPECT_EQ(p->value.data<float>(), store.values().data<float>() + p->first);
    EXPECT_EQ(p->value.shape(), p->shape);
    EXPECT_FALSE(p->grad.grad) << "inference needs no gradients";
  }
  store.make_gradients();
  store.make_gradients();
  for (const Parameter* p : store.all()) {
    EXPECT_EQ(p->grad.grad.data<float>(), store.gradients().data<float>() + p->first);
    EXPECT_EQ(p->grad.grad.shape(), p->shape);
    EXPECT_FALSE(p->grad.written);
    EXPECT_FALSE(p->grad.rows.has_value());
  }
}

TEST(ParameterStore, only_tables_have_rows) {
  ParameterStore store;
  const Parameter& table = store.add("table", {9, 4}, Role::embedding);
  store.allocate(1);
  store.make_gradients();
  ASSERT_TRUE(table.grad.rows.has_value());
  EXPECT_FALSE(table.grad.rows->contains(8));
}

std::vector<float> values(const Parameter& p) {
  return {p.value.data<float>(), p.value.data<float>() + p.value.size()};
}

TEST(ParameterStore, initial_values_follow_from_seed_and_name) {
  const auto make = [](ParameterStore& store, uint64_t seed, bool with_others) {
    if (with_others) store.add("aaa", {100}, Role::weight);
    Parameter& p = store.add("middle", {30, 20}, Role::weight);
    if (with_others) store.add("zzz", {100}, Role::weight);
    store.allocate(seed);
    return values(p);
  };
  ParameterStore alone, others, reseeded;
  const std::vector<float> first = make(alone, 7, false);
  EXPECT_EQ(make(others, 7, true), first);
  EXPECT_NE(make(reseeded, 8, false), first);
  EXPECT_NE(std::vector<float>(first.begin(), first.begin() + 100), values(others.at("aaa")));
  EXPECT_NE(values(others.at("zzz")), values(others.at("aaa")));

  Parameter& p = alone.at("middle");
  p.value.fill_zero();
  alone.initialise(p, 7, 0.02F);
  EXPECT_EQ(values(p), first);
  alone.initialise(p, 7, 0.04F);
  for (size_t i = 0; i < first.size(); ++i) EXPECT_NEAR(values(p)[i], 2 * first[i], 1e-8F);
}

TEST(ParameterStore, initial_values_fit_the_role) {
  ParameterStore store;
  for (const Role role : {Role::weight, Role::embedding, Role::bias, Role::norm_weight, Role::norm_bias})
    store.add(name_of(role), {100, 100}, role);
  store.allocate(3, 0.05F);
  for (const Role role : {Role::weight, Role::embedding}) {
    double sum = 0, squares = 0;
    for (const float v : values(store.at(name_of(role)))) sum += static_cast<double>(v), squares += std::pow(v, 2);
    EXPECT_NEAR(sum / 1e4, 0, 0.002) << name_of(role);
    EXPECT_NEAR(std::sqrt(squares / 1e4), 0.05, 0.0015) << name_of(role);
  }
  const std::vector<float> zeros(10'000, 0), ones(10'000, 1);
  EXPECT_EQ(values(store.at("bias")), zeros);
  EXPECT_EQ(values(store.at("norm bias")), zeros);
  EXPECT_EQ(values(store.at("norm weight")), ones);
}

// y = w + shift, to see the order of transforms.
class Shift : public WeightTransform {
 public:
  Shift(float factor, float shift) : factor_(factor), shift_(shift) {}
  Var apply(const Var& w, const Context&) override {
    Tensor y = w.value.clone();
    for (float& v : y.span<float>()) v = factor_ * v + shift_;
    return Tape::record("shift", y, {&w}, [factor = factor_](const Tensor& gy, Tape::Slots& slots) {
      if (auto g = slots[0])
        for (int64_t i = 0; i < gy.size(); ++i)
          g.to.data<float>()[i] = (g.accumulate ? g.to.data<float>()[i] : 0) + factor * gy.data<float>()[i];
    });
  }

 private:
  float factor_, shift_;
};

TEST(Parameter, is_seen_through_its_transforms_in_order) {
  ParameterStore store;
  Parameter& p = store.add("w", {1}, Role::weight);
  store.allocate(1);
  store.make_gradients();
  *p.value.data<float>() = 5;
  p.transforms = {std::make_shared<Shift>(2.0F, 1.0F), std::make_shared<Shift>(10.0F, 0.0F)};
  Tape tape;
  Context training{.tape = &tape, .training = true};
  const Var seen = p.use(training);
  EXPECT_EQ(*seen.value.data<float>(), 110);
  EXPECT_EQ(*p.value.data<float>(), 5);
  tape.backward(seen);
  EXPECT_TRUE(p.grad.written);
  EXPECT_EQ(*store.gradients().data<float>(), 20);
  store.clear_gradients();
  EXPECT_FALSE(p.grad.written);

  const Context evaluation;
  EXPECT_EQ(p.use(evaluation).tape, nullptr);
  EXPECT_EQ(*p.use(evaluation).value.data<float>(), 110);
}

TEST(Context, gives_every_place_and_step_its_own_dropout) {
  std::set<uint64_t> streams;
  for (const uint64_t step : {0U, 1U, 2U}) {
    Context context{.training = true, .seed = 9, .step = step};
    for (int place = 0; place < 50; ++place) {
      const Dropout d = context.dropout(0.1F);
      EXPECT_EQ(d.seed, 9U);
      EXPECT_EQ(d.probability, 0.1F);
      EXPECT_TRUE(streams.insert(d.stream).second);
    }
  }
  Context evaluation{.seed = 9};
  EXPECT_FALSE(evaluation.dropout(0.1F));
}

}  // namespace
}  // namespace espalier
