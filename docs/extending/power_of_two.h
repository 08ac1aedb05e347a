// SPDX-License-Identifier: Apache-2.0
// Weights of four bits whose products are shifts (Elhoushi et al. 2019, arXiv:1905.13298): from a step on, the forward
// pass sees 0 or ±scale / 2^j with j = 0 … 6; the scale of a matrix is its largest |w| at that step.
#pragma once

#include <algorithm>
#include <cmath>

#include "compress/compressor.h"
#include "core/parallel.h"

namespace lab {
using namespace espalier;

struct Rounding : WeightTransform {
  explicit Rounding(const Tensor& one) : scale(one) {}
  Tensor scale;  // [1]; 0: not yet

  Var apply(const Var& w, const Context& /*context*/) override {
    const float s = *scale.data<float>();
    if (s == 0) return w;
    Var y{w.value.clone(), w.tape, w.id};  // another value at w's place on the tape: gradients go straight through
    parallel_rows(y.value.size(), 16384, [&](int64_t begin, int64_t end) {
      for (float& v : y.value.span<float>().subspan(begin, end - begin)) {
        const float j = std::max(0.0F, std::round(std::log2(s / std::abs(v))));
        v = j > 6 ? 0 : std::copysign(s * std::exp2(-j), v);
      }
    });
    return y;
  }
};

struct PowerOfTwo : Compressor {
  explicit PowerOfTwo(int64_t step) : begin(step) {}
  int64_t begin;
  std::vector<Parameter*> weights;
  Tensor scales;  // of each weight; the transforms hold views of it

  std::string describe() const override { return "round: to powers of two from step " + std::to_string(begin); }
  void attach(Bert& model, ParameterStore& /*store*/) override {
    scales = Tensor::zeros({6 * std::ssize(model.layers())});
    for (const EncoderLayer& layer : model.layers())
      for (const Linear* linear : layer.linears()) {  // the transform comes behind the mask: what is zero stays zero
        linear->weight.transforms.push_back(std::make_shared<Rounding>(scales.view(std::ssize(weights), {1})));
        weights.push_back(&linear->weight);
      }
  }
  void before_forward(int64_t step) override {
    const auto size = [](float w) { return std::abs(w); };
    for (size_t i = 0; step == begin && i < weights.size(); ++i)
      scales.data<float>()[i] = size(std::ranges::max(weights[i]->value.span<float>(), {}, size));
  }
  bool complete(int64_t steps) const override { return steps > begin; }
  void save(const Hdf5Group& group) const override { group.write("scales", scales); }
  void load(const Hdf5Group& group) override { group.read_into("scales", scales); }
};

}  // namespace lab
