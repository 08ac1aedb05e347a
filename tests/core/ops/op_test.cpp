// SPDX-License-Identifier: Apache-2.0
// Puts every row of the table of op cases through the checks that every op must pass.
#include <gtest/gtest.h>

#include <cstring>

#include "core/gradcheck.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "tests/core/ops/op_cases.h"
#include "tests/golden/golden.h"

namespace espalier {
namespace {

class OpTest : public testing::TestWithParam<OpCase> {
 protected:
  void TearDown() override {
    kernels::set_isa(best_isa_);
    set_threads(0);
  }

  std::vector<Tensor> inputs(DType type = DType::f64) const { return inputs_of(GetParam().inputs, type); }
  static std::vector<Tensor> inputs_of(const std::vector<Shape>& shapes, DType type) {
    std::vector<Tensor> list;
    list.reserve(shapes.size());
    for (const Shape& s : shapes) list.push_back(golden::uniform(GetParam().name, list.size(), s, 2, type));
    return list;
  }
  static Var call(const std::vector<Tensor>& inputs) {
    std::vector<Var> constants;
    constants.reserve(inputs.size());
    for (const Tensor& x : inputs) constants.push_back({x});
    return GetParam().op(constants);
  }

 private:
  const std::string best_isa_ = kernels::current_isa();
};

// Output and gradients of a row; gradients[i] has not been written where input i was a constant.
struct Result {
  Tensor y;
  std::vector<LeafGrad> gradients;
};

// The gradient of y is golden::uniform(name, 100). Inputs i with constant(i) are not on the tape.
template <class IsConstant>
void run(const OpCase& row, const std::vector<Tensor>& inputs, Result& result, const IsConstant& is_constant) {
  Tape tape;
  result.gradients.resize(inputs.size());
  std::vector<Var> vars;
  for (size_t i = 0; i < inputs.size(); ++i)
    vars.push_back(is_constant(i) ? Var{inputs[i]} : tape.leaf(inputs[i], result.gradients[i]));
  const Var y = row.op(vars);
  result.y = y.value;
  tape.backward(y, golden::uniform(row.name, 100, y.shape(), 2, y.dtype()));
}

Result run(const OpCase& row, const std::vector<Tensor>& inputs) {
  Result result;
  run(row, inputs, result, [](size_t) { return false; });
  return result;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// Largest difference, relative to the largest element of b.
double difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(DType::f64), y = b.to(DType::f64);
  EXPECT_EQ(x.shape(), y.shape());
  double largest = 0, apart = 0;
  for (int64_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(y.data<double>()[i]));
    const double d = std::abs(x.data<double>()[i] - y.data<double>()[i]);
    if (!(d <= apart)) apart = d;  // a NaN counts
  }
  return apart == 0 ? 0 : apart / largest;
}

void expect_close(const Result& a, const Result& b, double tolerance) {
  EXPECT_LE(difference(a.y, b.y), tolerance) << "output";
  for (size_t i = 0; i < b.gradients.size(); ++i)
    EXPECT_LE(difference(a.gradients[i].grad, b.gradients[i].grad), tolerance) << "gradient " << i;
}

void expect_same_bits(const Result& a, const Result& b) {
  EXPECT_TRUE(same_bits(a.y, b.y)) << "output";
  for (size_t i = 0; i < b.gradients.size(); ++i)
    EXPECT_TRUE(same_bits(a.gradients[i].grad, b.gradients[i].grad)) << "gradient " << i;
}

TEST_P(OpTest, gradient_is_the_derivative) { EXPECT_LE(check_gradient(GetParam().op, inputs()), 1e-6); }

using GoldenOpTest = OpTest;
TEST_P(GoldenOpTest, agrees_with_pytorch) {
  static const golden::File file("ops.txt");
  const Result found = run(GetParam(), inputs());
  file.expect(GetParam().name + "/output", found.y, 1e-12);
  for (size_t i = 0; i < found.gradients.size(); ++i)
    file.expect(GetParam().name + "/gradient" + std::to_string(i), found.gradients[i].grad, 1e-12);
}

TEST_P(OpTest, every_instruction_set_agrees) {
  const std::vector<Tensor> narrow = inputs(DType::f32);
  std::vector<Tensor> wide;
  wide.reserve(narrow.size());
  for (const Tensor& x : narrow) wide.push_back(x.to(DType::f64));
  const Result reference = run(GetParam(), wide);
  for (const std::string& isa : kernels::available_isas()) {
    SCOPED_TRACE(isa);
    kernels::set_isa(isa);
    expect_close(run(GetParam(), narrow), reference, GetParam().f32_tolerance);
    expect_close(run(GetParam(), wide), reference, 1e-13);
  }
}

TEST_P(OpTest, any_number_of_threads_gives_the_same_bits) {
  for (const DType type : {DType::f32, DType::f64}) {
    set_threads(1);
    const Result one = run(GetParam(), inputs(type));
    for (const int threads : {2, 3}) {
      SCOPED_TRACE(threads);
      set_threads(threads);
      expect_same_bits(run(GetParam(), inputs(type)), one);
    }
  }
}

TEST_P(OpTest, adds_to_a_gradient_of_this_step) {
  const Result once = run(GetParam(), inputs());
  Result twice = run(GetParam(), inputs());
  run(GetParam(), inputs(), twice, [](size_t) { return false; });
  for (size_t i = 0; i < once.gradients.size(); ++i) {
    Tensor doubled = once.gradients[i].grad.clone();
    for (double& v : doubled.span<double>()) v *= 2;
    EXPECT_LE(difference(twice.gradients[i].grad, doubled), 1e-14) << "gradient " << i;
  }
}

TEST_P(OpTest, overwrites_a_gradient_of_an_earlier_step) {
  const Result fresh = run(GetParam(), inputs());
  for (const double stale : {1e9, std::nan("")}) {
    Result used = run(GetParam(), inputs());
    for (LeafGrad& g : used.gradients) {
      for (double& v : g.grad.span<double>()) v = stale;
      g.written = false;
    }
    run(GetParam(), inputs(), used, [](size_t) { return false; });
    expect_same_bits(used, fresh);
  }
}

TEST_P(OpTest, leaves_an_unwanted_gradient_alone) {
  const Result all = run(GetParam(), inputs());
  for (size_t constant = 0; constant < all.gradients.size(); ++constant)
    for (const bool only : {false, true}) {  // one constant; all constant but one
      if (all.gradients.size() == 1) continue;
      Result some;
      run(GetParam(), inputs(), some, [&](size_t i) { return (i == constant) != only; });
      for (size_t i = 0; i < all.gradients.size(); ++i) {
        const bool wanted = (i == constant) == only;
        EXPECT_EQ(some.gradients[i].written, wanted) << "gradient " << i;
        EXPECT_EQ(static_cast<bool>(some.gradients[i].grad), wanted) << "gradient " << i;
        EXPECT_TRUE(!wanted || same_bits(some.gradients[i].grad, all.gradients[i].grad)) << "gradient " << i;
      }
    }
}

TEST_P(OpTest, records_nothing_for_constants) {
  const Var y = call(inputs());
  EXPECT_EQ(y.tape, nullptr);
  EXPECT_TRUE(same_bits(y.value, run(GetParam(), inputs()).y));
}

// An input given twice gets the sum of both gradients.
TEST_P(OpTest, takes_one_variable_twice) {
  for (size_t a = 0; a < GetParam().inputs.size(); ++a)
    for (size_t b = a + 1; b < GetParam().inputs.size(); ++b) {
      if (GetParam().inputs[a] != GetParam().inputs[b]) continue;
      SCOPED_TRACE(std::to_string(a) + " and " + std::to_string(b));
      std::vector<Tensor> same = inputs();
      same[b] = same[a];
      const Result apart = run(GetParam(), same);
      Tensor expected = apart.gradients[a].grad.clone();
      for (int64_t i = 0; i < expected.size(); ++i)
        expected.data<double>()[i] += apart.gradients[b].grad.data<double>()[i];

      Tape tape;
      LeafGrad shared;
      std::vector<LeafGrad> others(same.size());
      std::vector<Var> vars;
      for (size_t i = 0; i < same.size(); ++i)
        vars.push_back(i == b ? vars[a] : tape.leaf(same[i], i == a ? shared : others[i]));
      const Var y = GetParam().op(vars);
      tape.backward(y, golden::uniform(GetParam().name, 100, y.shape()));
      EXPECT_LE(difference(shared.grad, expected), 1e-13);
    }
}

using OpShapeTest = OpTest;
TEST_P(OpShapeTest, names_both_shapes_that_do_not_fit) {
  try {
    call(inputs_of(GetParam().wrong, DType::f64));
    FAIL() << "nothing was thrown";
  } catch (const Error& e) {
    for (const std::string& word : GetParam().words)
      EXPECT_NE(std::string(e.what()).find(word), std::string::npos) << "no '" << word << "' in: " << e.what();
  }
}

TEST_P(OpTest, refuses_integers) {
  std::vector<Tensor> integers;
  for (const Shape& s : GetParam().inputs) integers.push_back(Tensor::zeros(s, DType::i32));
  EXPECT_THROW(run(GetParam(), integers), Error);
}

std::vector<OpCase> rows_with(const std::function<bool(const OpCase&)>& property) {
  std::vector<OpCase> rows;
  for (const OpCase& row : op_cases())
    if (property(row)) rows.push_back(row);
  return rows;
}
std::string name_of_row(const testing::TestParamInfo<OpCase>& row) { return row.param.name; }

INSTANTIATE_TEST_SUITE_P(Table, OpTest, testing::ValuesIn(op_cases()), name_of_row);
INSTANTIATE_TEST_SUITE_P(Table, GoldenOpTest,
                         testing::ValuesIn(rows_with([](const OpCase& row) { return row.golden; })), name_of_row);
INSTANTIATE_TEST_SUITE_P(Table, OpShapeTest,
                         testing::ValuesIn(rows_with([](const OpCase& row) { return !row.wrong.empty(); })),
                         name_of_row);

}  // namespace
}  // namespace espalier
