// SPDX-License-Identifier: Apache-2.0
// Ops on bf16 activations against the same ops in f32 on the same numbers: inside both compute in f32, so the results
// differ by the rounding of what is stored and by nothing else.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "core/kernels/isa.h"
#include "core/ops.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

class Bf16OpTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { kernels::set_isa(GetParam()); }
  void TearDown() override { kernels::set_isa(best_); }
  const std::string best_ = kernels::current_isa();
};

struct Result {
  Tensor y;
  std::vector<Tensor> gradients;
};

template <class Op>
Result run(const Op& op, const std::vector<Tensor>& inputs, const Tensor& gy) {
  Tape tape;
  std::vector<LeafGrad> gradients(inputs.size());
  std::vector<Var> leaves;
  for (size_t i = 0; i < inputs.size(); ++i) leaves.push_back(tape.leaf(inputs[i], gradients[i]));
  const Var y = op(leaves);
  tape.backward(y, gy);
  Result result{y.value, {}};
  for (const LeafGrad& g : gradients) result.gradients.push_back(g.grad);
  return result;
}

Tensor numbers(uint64_t stream, const Shape& shape) {  // that bf16 holds exactly
  return golden::uniform("bf16", stream, shape).to(DType::bf16).to(DType::f32);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

double difference(const Tensor& a, const Tensor& b) {  // relative to b's norm
  const Tensor x = a.to(DType::f64), y = b.to(DType::f64);
  double apart = 0, norm = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    apart += std::pow(x.data<double>()[i] - y.data<double>()[i], 2);
    norm += std::pow(y.data<double>()[i], 2);
  }
  return std::sqrt(apart / norm);
}

TEST_P(Bf16OpTest, activation) {
  const Tensor x = numbers(0, {9, 37}), gy = numbers(1, {9, 37});
  for (const Activation f : {Activation::gelu, Activation::relu, Activation::gelu_new, Activation::silu}) {
    const auto op = [f](const std::vector<Var>& v) { return ops::activation(v[0], f); };
    const Result wide = run(op, {x}, gy), half = run(op, {x.to(DType::bf16)}, gy.to(DType::bf16));
    EXPECT_TRUE(same_bits(half.y, wide.y.to(DType::bf16))) << name_of(f);
    EXPECT_TRUE(same_bits(half.gradients[0], wide.gradients[0].to(DType::bf16))) << name_of(f);
  }
}

TEST_P(Bf16OpTest, dropout_add_layer_norm) {
  const Shape shape{21, 75};
  const std::vector<Tensor> inputs = {numbers(0, shape), numbers(1, shape), numbers(2, {75}), numbers(3, {75})};
  std::vector<Tensor> mixed = inputs;
  mixed[0] = inputs[0].to(DType::bf16);
  for (const Dropout& dropout : {Dropout{}, Dropout{0.25F, 1, 2}}) {
    const auto op = [&](const std::vector<Var>& v) {
      return ops::dropout_add_layer_norm(v[0], v[1], v[2], v[3], 1e-12F, dropout);
    };
    const Result wide = run(op, inputs, numbers(4, shape)), half = run(op, mixed, numbers(4, shape));
    EXPECT_TRUE(same_bits(half.y, wide.y));
    EXPECT_TRUE(same_bits(half.gradients[0], wide.gradients[0].to(DType::bf16)));
    for (size_t i = 1; i < 4; ++i) EXPECT_TRUE(same_bits(half.gradients[i], wide.gradients[i])) << i;
  }
}

TEST_P(Bf16OpTest, attention) {
  const std::vector<int32_t> offsets = {0, 1, 14, 84};
  const Tensor qkv = numbers(0, {84, 3 * 2 * 20}), gy = numbers(1, {84, 2 * 20});
  for (const Dropout& dropout : {Dropout{}, Dropout{0.2F, 1, 2}}) {
    const auto op = [&](const std::vector<Var>& v) { return ops::attention(v[0], offsets, 2, dropout); };
    const Result wide = run(op, {qkv}, gy), half = run(op, {qkv.to(DType::bf16)}, gy.to(DType::bf16));
    EXPECT_TRUE(same_bits(half.y, wide.y.to(DType::bf16)));
    // The backward pass reads the rounded output, so here one more rounding, of 2^-9 at most, is in the result.
    EXPECT_LE(difference(half.gradients[0], wide.gradients[0]), 0x1p-8);
    EXPECT_GT(difference(half.gradients[0], wide.gradients[0]), 0);
  }
}

// Odd numbers of rows, inputs and outputs; the second part's columns begin in the middle of a pair.
TEST_P(Bf16OpTest, linear) {
  const std::vector<Tensor> inputs = {numbers(0, {37, 45}), numbers(1, {33, 45}), numbers(2, {33}),
                                      numbers(3, {20, 45}), numbers(4, {20})};
  const Tensor gy = numbers(5, {37, 53});
  const auto op = [](DType compute) {
    return [compute](const std::vector<Var>& v) {
      return ops::linear(v[0], std::array{ops::Affine{v[1], v[2]}, ops::Affine{v[3], v[4]}}, compute);
    };
  };
  const Result wide = run(op(DType::f32), inputs, gy);
  for (const DType type : {DType::f32, DType::bf16}) {  // of x
    std::vector<Tensor> mixed = inputs;
    mixed[0] = inputs[0].to(type);
    const Result half = run(op(DType::bf16), mixed, gy.to(DType::bf16));
    EXPECT_EQ(half.y.dtype(), DType::bf16);
    EXPECT_LE(difference(half.y, wide.y), 0x1p-9);  // the operands are exact: only the result is rounded
    EXPECT_EQ(half.gradients[0].dtype(), type);
    // The second part adds to what the first has rounded already, if x is bf16.
    EXPECT_LE(difference(half.gradients[0], wide.gradients[0]), type == DType::bf16 ? 0x1p-8 : 1e-6);
    for (size_t i = 1; i < inputs.size(); ++i) {
      EXPECT_EQ(half.gradients[i].dtype(), DType::f32);
      EXPECT_LE(difference(half.gradients[i], wide.gradients[i]), 1e-6) << i;
    }
  }
}

TEST_P(Bf16OpTest, gather_rows) {
  const Tensor x = numbers(0, {5, 7}), gy = numbers(1, {3, 7});
  const auto op = [](const std::vector<Var>& v) { return ops::gather_rows(v[0], std::vector<int32_t>{4, 0, 2}); };
  const Result wide = run(op, {x}, gy), half = run(op, {x.to(DType::bf16)}, gy.to(DType::bf16));
  EXPECT_TRUE(same_bits(half.y, wide.y.to(DType::bf16)));
  EXPECT_TRUE(same_bits(half.gradients[0], wide.gradients[0].to(DType::bf16)));
}

TEST_P(Bf16OpTest, a_used_gradient_is_added_to) {
  const Tensor x = numbers(0, {5, 33}).to(DType::bf16), gy = numbers(1, {5, 33}).to(DType::bf16);
  LeafGrad g;
  std::vector<float> once, twice;
  for (auto* into : {&once, &twice}) {
    Tape tape;
    tape.backward(ops::gelu(tape.leaf(x, g)), gy);
    for (const Bf16 v : g.grad.span<Bf16>()) into->push_back(static_cast<float>(v));
  }
  for (size_t i = 0; i < once.size(); ++i) EXPECT_NEAR(twice[i], 2 * once[i], 0x1p-7F * std::abs(once[i])) << i;
}

INSTANTIATE_TEST_SUITE_P(Isas, Bf16OpTest, testing::ValuesIn(kernels::available_isas()),
                         [](const auto& isa) { return isa.param; });

}  // namespace
}  // namespace espalier
