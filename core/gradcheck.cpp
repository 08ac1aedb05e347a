// SPDX-License-Identifier: Apache-2.0
#include "core/gradcheck.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "core/rng.h"

namespace espalier {
namespace {

Tensor random_normal(const Shape& shape, uint64_t seed, uint64_t stream) {
  Tensor t(shape, DType::f64);
  Rng rng(seed, stream);
  for (double& v : t.span<double>()) v = rng.normal();
  return t;
}

double dot(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i) sum += a.data<double>()[i] * b.data<double>()[i];
  return sum;
}

Tensor value_at(const DifferentiableFunction& f, std::span<const Tensor> inputs) {
  std::vector<Var> constants;
  for (const Tensor& x : inputs) constants.push_back({x});
  return f(constants).value;
}

// f(…, x + step d, …) for the input `which`.
Tensor value_beside(const DifferentiableFunction& f, std::span<const Tensor> inputs, size_t which, const Tensor& d,
                    double step) {
  std::vector<Tensor> moved(inputs.begin(), inputs.end());
  moved[which] = inputs[which].clone();
  for (int64_t i = 0; i < d.size(); ++i) moved[which].data<double>()[i] += step * d.data<double>()[i];
  return value_at(f, moved);
}

}  // namespace

double check_gradient(const DifferentiableFunction& f, std::span<const Tensor> inputs,
                      const GradCheckOptions& options) {
  Tape tape;
  std::vector<LeafGrad> gradients(inputs.size());
  std::vector<Var> leaves;
  for (size_t i = 0; i < inputs.size(); ++i) {
    CHECK(inputs[i].dtype() == DType::f64, "gradient check: input ", i, " is ", name_of(inputs[i].dtype()),
          ", f64 is expected");
    leaves.push_back(tape.leaf(inputs[i], gradients[i]));
  }
  const Var y = f(leaves);
  CHECK(y.tape == &tape, "gradient check: the output does not depend on the inputs by way of the tape");
  CHECK(y.dtype() == DType::f64, "gradient check: the output is ", name_of(y.dtype()), ", f64 is expected");
  const Tensor again = value_at(f, inputs);
  CHECK(again.shape() == y.shape() && std::memcmp(again.raw(), y.value.raw(), again.bytes()) == 0,
        "gradient check: two calls on the same inputs differ; random numbers need a fixed seed");

  const Tensor weights = random_normal(y.shape(), options.seed, 0);
  const double floor = 1e-4 * std::sqrt(dot(y.value, y.value));
  tape.backward(y, weights);
  double worst = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Tensor direction = random_normal(inputs[i].shape(), options.seed, i + 1);
    const Tensor gradient = gradients[i].written ? gradients[i].grad : Tensor::zeros(inputs[i].shape(), DType::f64);
    const double expected = (dot(value_beside(f, inputs, i, direction, options.step), weights) -
                             dot(value_beside(f, inputs, i, direction, -options.step), weights)) /
                            (2 * options.step);
    const double found = dot(gradient, direction);
    const double size = std::max(std::sqrt(dot(gradient, gradient)), floor);
    const double error = found == expected ? 0 : std::abs(found - expected) / size;
    CHECK(error <= options.tolerance, "gradient check: input ", i, " ", inputs[i].shape(), ": <gradient, d> is ", found,
          ", central differences give ", expected, ", relative error ", error);
    worst = std::max(worst, error);
  }
  return worst;
}

}  // namespace espalier
