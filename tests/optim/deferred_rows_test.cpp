// SPDX-License-Identifier: Apache-2.0
// A large table whose untouched rows are updated late must have the bits of one that is updated whole in each step.
#include <gtest/gtest.h>

#include <cstring>

#include "core/parallel.h"
#include "core/rng.h"
#include "optim/optimizer.h"

namespace espalier {
namespace {

constexpr int64_t rows = 2100, cols = 37;

struct Table {
  explicit Table() : parameter(Scope(store).parameter("table", {rows, cols}, Role::embedding)) {
    store.allocate(3, 0.5F);
    optimizer = std::make_unique<Optimizer>(store, OptimizerOptions{.weight_decay = 0.1});
  }

  // A gradient in `touched` rows only, written by rows or as a whole tensor with zeros.
  void step(const std::vector<int32_t>& touched, uint64_t stream, bool by_rows) {
    parameter.grad.written = true;
    parameter.grad.by_rows = by_rows;
    parameter.grad.rows->clear();
    float* const g = parameter.grad.grad.data<float>();
    if (!by_rows) parameter.grad.grad.fill_zero();
    for (const int32_t r : touched) {
      Rng rng(stream, static_cast<uint64_t>(r));
      if (by_rows) parameter.grad.rows->insert(r);
      for (int64_t c = 0; c < cols; ++c) g[r * cols + c] = static_cast<float>(rng.normal());
    }
    optimizer->step(1e-2 / static_cast<double>(stream + 1), 0.7);
  }

  ParameterStore store;
  Parameter& parameter;
  std::unique_ptr<Optimizer> optimizer;
};

bool same_bits(const Tensor& a, const Tensor& b) { return std::memcmp(a.raw(), b.raw(), a.bytes()) == 0; }

std::vector<int32_t> touched_in(uint64_t step) {
  Rng rng(11, step);
  std::vector<int32_t> list;
  for (int i = 0; i < 40; ++i) {
    const auto row = static_cast<int32_t>(rng.next() % (rows / 2));  // the second half is never touched
    if (std::find(list.begin(), list.end(), row) == list.end()) list.push_back(row);
  }
  return list;
}

void expect_equal(const Table& a, const Table& b) {
  EXPECT_TRUE(same_bits(a.optimizer->first_moments(), b.optimizer->first_moments()));
  EXPECT_TRUE(same_bits(a.optimizer->second_moments(), b.optimizer->second_moments()));
  EXPECT_TRUE(same_bits(a.parameter.value, b.parameter.value));
}

TEST(DeferredRows, have_the_bits_of_a_table_updated_whole) {
  Table late, whole;
  for (uint64_t s = 0; s < 25; ++s) {
    late.step(touched_in(s), s, true);
    whole.step(touched_in(s), s, false);
  }
  EXPECT_FALSE(same_bits(late.parameter.value, whole.parameter.value));  // something was deferred
  expect_equal(late, whole);
}

TEST(DeferredRows, a_row_is_up_to_date_when_it_is_read) {
  Table late, whole;
  for (uint64_t s = 0; s < 10; ++s) {
    late.step(touched_in(s), s, true);
    whole.step(touched_in(s), s, false);
    const std::vector<int32_t> read = {5, 1999, 5, 700};
    const Context context;
    const Var a = late.parameter.use_rows(context, read), b = whole.parameter.use(context);
    for (const int32_t r : read) {
      const void* const row = a.value.data<float>() + r * cols;
      const void* const expected = b.value.data<float>() + r * cols;
      EXPECT_EQ(0, std::memcmp(row, expected, cols * sizeof(float))) << "row " << r << " after step " << s;
    }
  }
  expect_equal(late, whole);
}

TEST(DeferredRows, it_does_not_matter_when_rows_are_settled_or_how_gradients_come) {
  Table a, b;
  for (uint64_t s = 0; s < 12; ++s) {
    a.step(touched_in(s), s, true);
    b.step(touched_in(s), s, s % 5 != 2);  // now and then a whole gradient
    if (s % 3 == 0) b.store.settle();
  }
  expect_equal(a, b);
}

TEST(DeferredRows, a_step_without_any_gradient_leaves_the_table_alone) {
  Table a, b;
  for (uint64_t s = 0; s < 4; ++s) {
    a.step(touched_in(s), s, true);
    b.step(touched_in(s), s, true);
  }
  a.store.settle();
  const Tensor before = a.parameter.value.clone();
  a.optimizer->step(1e-2);  // the gradient's written flag is off
  a.store.settle();
  EXPECT_TRUE(same_bits(a.parameter.value, before));
}

TEST(DeferredRows, threads_do_not_matter) {
  set_threads(1);
  Table one;
  for (uint64_t s = 0; s < 8; ++s) one.step(touched_in(s), s, true);
  one.store.settle();
  set_threads(3);
  Table three;
  for (uint64_t s = 0; s < 8; ++s) three.step(touched_in(s), s, true);
  expect_equal(one, three);
  set_threads(0);
}

}  // namespace
}  // namespace espalier
