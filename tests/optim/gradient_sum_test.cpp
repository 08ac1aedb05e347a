// SPDX-License-Identifier: Apache-2.0
#include "optim/gradient_sum.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/check.h"
#include "optim/gradient_parts.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

TEST(Lanes, belong_to_one_rank_each_in_the_largest_blocks) {
  for (const int64_t lanes : {1, 2, 8, 64})
    for (int ranks = 1; ranks <= lanes; ++ranks) {
      int64_t next = 0;
      for (const Block& block : blocks_of(lanes, ranks)) {
        EXPECT_EQ(block.first, next);
        EXPECT_EQ(block.first % block.size, 0);
        for (int64_t lane = block.first; lane < block.first + block.size; ++lane)
          EXPECT_EQ(rank_of_lane(lane, lanes, ranks), block.rank);
        next += block.size;
      }
      EXPECT_EQ(next, lanes);
    }
}

constexpr int64_t rows = 7, cols = 3;

// A table and a matrix; lane l touches the rows l, l + 1 of the table.
class GradientSumTest : public testing::Test {
 protected:
  GradientSumTest() {
    table_ = &store_.add("table", {rows, cols}, Role::embedding);
    matrix_ = &store_.add("matrix", {40, 50}, Role::weight);
    store_.allocate(1);
    store_.make_gradients();
  }

  static Tensor values(const char* name, int64_t lane, const Shape& shape) {
    return golden::uniform(name + std::to_string(lane), 0, shape, 1, DType::f32);
  }

  void write_lane(int64_t lane) {
    matrix_->grad.written = true;
    matrix_->grad.grad.copy_from(values("matrix", lane, matrix_->shape));
    LeafGrad& table = table_->grad;
    table.written = table.by_rows = true;
    table.rows->clear();
    const Tensor all = values("table", lane, table_->shape);
    for (int64_t row = lane % rows; row < std::min(rows, lane % rows + 2); ++row) {
      table.rows->insert(static_cast<int32_t>(row));
      table.grad.view(row * cols, {cols}).copy_from(all.view(row * cols, {cols}));
    }
  }

  void run(int64_t lanes, const std::vector<uint8_t>& has_work, DType dtype = DType::f32) {
    GradientSum sum({&store_}, lanes, dtype);
    sum.run(has_work, [&](int64_t lane, const Tape::LeafDone& done) {
      write_lane(lane);
      if (lane % 2 == 0) done(matrix_->grad);  // complete before the backward pass ends
    });
  }

  float matrix_at(int64_t i) const { return matrix_->grad.grad.data<float>()[i]; }

  ParameterStore store_;
  Parameter *table_ = nullptr, *matrix_ = nullptr;
};

TEST_F(GradientSumTest, adds_in_a_tree_that_positions_fix) {
  run(4, {1, 1, 1, 1});
  for (int64_t i = 0; i < matrix_->shape.size(); ++i) {
    const auto g = [&](int64_t lane) { return values("matrix", lane, matrix_->shape).data<float>()[i]; };
    ASSERT_EQ(matrix_at(i), (g(0) + g(1)) + (g(2) + g(3)));
  }
  EXPECT_TRUE(table_->grad.by_rows);
  for (int64_t row = 0; row < rows; ++row) ASSERT_EQ(table_->grad.rows->contains(row), row <= 4);
  const auto t = [&](int64_t lane) { return values("table", lane, table_->shape).data<float>()[2 * cols]; };
  EXPECT_EQ(table_->grad.grad.data<float>()[2 * cols], t(1) + t(2));
}

TEST_F(GradientSumTest, leaves_empty_lanes_out) {
  run(8, {0, 0, 1, 0, 0, 1, 1, 0});
  for (int64_t i = 0; i < matrix_->shape.size(); ++i) {
    const auto g = [&](int64_t lane) { return values("matrix", lane, matrix_->shape).data<float>()[i]; };
    ASSERT_EQ(matrix_at(i), g(2) + (g(5) + g(6)));
  }
  run(2, {0, 0});
  EXPECT_FALSE(matrix_->grad.written);
}

TEST_F(GradientSumTest, rounds_each_sum_to_bf16) {
  run(2, {1, 1}, DType::bf16);
  const auto rounded = [](float v) { return static_cast<float>(Bf16(v)); };
  for (int64_t i = 0; i < matrix_->shape.size(); ++i) {
    const auto g = [&](int64_t lane) { return values("matrix", lane, matrix_->shape).data<float>()[i]; };
    ASSERT_EQ(matrix_at(i), rounded(rounded(g(0)) + rounded(g(1))));
  }
}

TEST_F(GradientSumTest, wants_a_power_of_two) {
  EXPECT_THROW(GradientSum({&store_}, 6, DType::f32), Error);
  EXPECT_THROW(GradientSum({&store_}, 0, DType::f32), Error);
}

TEST(GradientParts, travel_as_bytes_and_add_up) {
  const GradientPart a{GradientPart::by_rows, {1, 4}, {1, 2, 3, 4}}, b{GradientPart::by_rows, {0, 4}, {5, 6, 7, 8}};
  const GradientPart both = sum(a, b, DType::f32);
  EXPECT_EQ(both.rows, (std::vector<int32_t>{0, 1, 4}));
  EXPECT_EQ(both.values, (std::vector<float>{5, 6, 1, 2, 10, 12}));
  for (const DType dtype : {DType::f32, DType::bf16}) {
    std::string bytes;
    for (const GradientPart& part : {both, GradientPart{}, a}) write(part, dtype, bytes);
    std::string_view rest = bytes;
    EXPECT_EQ(read_part(rest, dtype).values, both.values);
    EXPECT_EQ(read_part(rest, dtype).kind, GradientPart::none);
    EXPECT_EQ(read_part(rest, dtype).rows, a.rows);
    EXPECT_TRUE(rest.empty());
  }
  EXPECT_EQ(sum(a, {}, DType::f32).values, a.values);
}

}  // namespace
}  // namespace espalier
