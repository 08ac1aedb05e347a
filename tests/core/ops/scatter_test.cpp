// SPDX-License-Identifier: Apache-2.0
// The gradient of a table: by rows, whole, and from one to the other within a step.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/ops.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

constexpr int64_t rows = 7, cols = 5;

// A table whose gradient has rows. One use is the embedding of the ids; the other a product with the whole table, as in
// tied weights.
class ScatterTest : public testing::Test {
 protected:
  enum Use { embed, embed_other, whole };
  ScatterTest() {
    table_.rows.emplace(rows);
    table_.grad = Tensor({rows, cols}, DType::f64);
    spoil();
  }
  void spoil() {  // an old step's contents
    for (double& v : table_.grad.span<double>()) v = 1e9;
  }

  // One backward pass over the sum of the uses, which are recorded in this order and so run in the opposite one.
  static void backward(LeafGrad& table, std::initializer_list<Use> uses) {
    Tape tape;
    const Tensor value = golden::uniform("table", 0, {rows, cols}), zeros = Tensor::zeros({rows}, DType::f64);
    const Var w = tape.leaf(value, table), position{golden::uniform("table", 1, {4, cols})},
              segment{golden::uniform("table", 2, {1, cols})}, gamma{golden::uniform("table", 3, {cols})},
              beta{golden::uniform("table", 4, {cols})};
    std::vector<Var> terms;
    for (const Use use : uses) {
      const std::vector<int32_t> ids = use == embed ? std::vector{5, 2, 5} : std::vector{2, 0, 6};
      const std::vector<int32_t> labels = {1, 0, 3};
      const Var y = use == whole ? ops::linear({golden::uniform("table", 5, {3, cols})}, w, {zeros})
                                 : ops::embedding(ids, std::vector(3, 0), std::vector{0, 3}, w, position, segment,
                                                  gamma, beta, 1);
      terms.push_back(ops::cross_entropy(y, labels, 1));
    }
    tape.backward(ops::sum(terms));
  }

  // The same with a gradient that never goes by rows.
  static Tensor dense(std::initializer_list<std::initializer_list<Use>> passes) {
    LeafGrad g;
    for (const auto uses : passes) backward(g, uses);
    EXPECT_FALSE(g.by_rows);
    return g.grad;
  }

  void expect_rows(const Tensor& expected, const std::vector<int32_t>& touched) {
    ASSERT_TRUE(table_.by_rows);
    EXPECT_EQ(table_.rows->list(), touched);
    for (int32_t r = 0; r < rows; ++r) {
      EXPECT_EQ(table_.rows->contains(r), std::count(touched.begin(), touched.end(), r) > 0);
      for (int64_t c = 0; c < cols; ++c) {
        const double wanted = table_.rows->contains(r) ? expected.data<double>()[r * cols + c] : 1e9;
        EXPECT_NEAR(table_.grad.data<double>()[r * cols + c], wanted, 1e-14) << "row " << r;
      }
    }
  }
  void expect_whole(const Tensor& expected) {
    EXPECT_FALSE(table_.by_rows);
    for (int64_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(table_.grad.data<double>()[i], expected.data<double>()[i], 1e-14) << "element " << i;
  }

  LeafGrad table_;
};

TEST_F(ScatterTest, touches_the_rows_of_the_ids_only) {
  backward(table_, {embed});
  expect_rows(dense({{embed}}), {5, 2});
}

TEST_F(ScatterTest, two_scatters_share_the_rows) {
  backward(table_, {embed_other, embed});
  expect_rows(dense({{embed_other, embed}}), {5, 2, 0, 6});
}

TEST_F(ScatterTest, a_second_pass_adds_rows) {
  backward(table_, {embed});
  backward(table_, {embed_other});
  expect_rows(dense({{embed}, {embed_other}}), {5, 2, 0, 6});
}

TEST_F(ScatterTest, a_whole_gradient_after_rows) {
  backward(table_, {whole, embed});
  expect_whole(dense({{whole, embed}}));
}

TEST_F(ScatterTest, rows_after_a_whole_gradient) {
  backward(table_, {embed, whole});
  expect_whole(dense({{embed, whole}}));
}

TEST_F(ScatterTest, rows_then_whole_then_rows) {
  backward(table_, {embed_other, whole, embed});
  expect_whole(dense({{embed_other, whole, embed}}));
  backward(table_, {embed});
  expect_whole(dense({{embed_other, whole, embed}, {embed}}));
}

TEST_F(ScatterTest, the_next_step_starts_with_no_rows) {
  backward(table_, {embed});
  table_.written = false;
  spoil();
  backward(table_, {embed_other});
  expect_rows(dense({{embed_other}}), {2, 0, 6});
}

TEST_F(ScatterTest, the_step_after_a_whole_gradient_goes_by_rows_again) {
  backward(table_, {embed, whole});
  table_.written = false;
  spoil();
  backward(table_, {embed});
  expect_rows(dense({{embed}}), {5, 2});
}

TEST(TouchedRows, keeps_each_row_once_in_order) {
  TouchedRows touched(4);
  EXPECT_TRUE(touched.insert(2));
  EXPECT_TRUE(touched.insert(0));
  EXPECT_FALSE(touched.insert(2));
  EXPECT_EQ(touched.list(), (std::vector<int32_t>{2, 0}));
  touched.clear();
  EXPECT_TRUE(touched.list().empty());
  EXPECT_FALSE(touched.contains(2));
  EXPECT_TRUE(touched.insert(2));
}

}  // namespace
}  // namespace espalier
