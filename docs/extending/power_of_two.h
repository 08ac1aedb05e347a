// SPDX-License-Identifier: Apache-2.0
// Weights of four bits whose products are shifts (Elhoushi et al. 2019, arXiv:1905.13298): from a step on, the forward
// pass sees 0 or ±scale / 2^j with j = 0 … 6; the scale of a matrix is its largest |w| at that step.
#pragma once

#include <algorithm>
#include <cmath>

#include "compress/algorithm.h"
#include "core/parallel.h"
#include "optim/run_step.h"

namespace lab {
using namespace espalier;

struct Rounding : WeightTransform {
  explicit Rounding(const Tensor& one) : scale(one) {}
  Tensor scale;       // [1]; 0: not yet
  bool held = false;  // the weight does not change: it is rounded once
  Tensor rounded;

  Var apply(const Var& w, const Context& /*context*/) override {
    const float s = *scale.data<float>();
    if (s == 0) return w;
    if (!held || !rounded) {
      rounded = w.value.clone();
      parallel_rows(rounded.size(), 16384, [&](int64_t begin, int64_t end) {
        for (float& v : rounded.span<float>().subspan(begin, end - begin)) {
          const float j = std::max(0.0F, std::round(std::log2(s / std::abs(v))));
          v = j > 6 ? 0 : std::copysign(s * std::exp2(-j), v);
        }
      });
    }
    return {rounded, w.tape, w.id};  // another value at w's place on the tape: gradients go straight through
  }
};

struct PowerOfTwo : Compressor {
  explicit PowerOfTwo(int64_t step) : begin(step) {}
  int64_t begin;
  std::vector<Parameter*> weights;
  std::vector<std::shared_ptr<Rounding>> roundings;  // of each weight
  Tensor scales;                                     // likewise; the roundings hold views of it

  std::string describe() const override { return "round: to powers of two from step " + std::to_string(begin); }

  void attach(Bert& model, ParameterStore& /*store*/) override {
    scales = Tensor::zeros({6 * std::ssize(model.layers())});
    for (EncoderLayer& layer : model.layers())
      for (Linear* linear : layer.linears()) {  // the transform comes behind the mask: what is zero stays zero
        roundings.push_back(std::make_shared<Rounding>(scales.view(std::ssize(weights), {1})));
        linear->weight.transforms.push_back(roundings.back());
        weights.push_back(&linear->weight);
      }
  }

  void before_forward(int64_t step) override {
    const auto size = [](float w) { return std::abs(w); };
    for (size_t i = 0; step == begin && i < weights.size(); ++i)
      scales.data<float>()[i] = size(std::ranges::max(weights[i]->value.span<float>(), {}, size));
  }

  // A weight at the largest value cannot grow: what would pull it outwards is left out.
  void after_backward(int64_t step) override {
    for (size_t i = 0; step >= begin && i < weights.size(); ++i) {
      if (!weights[i]->grad.written) continue;
      const auto w = weights[i]->value.span<float>(), g = weights[i]->grad.grad.span<float>();
      for (size_t k = 0; k < w.size(); ++k)
        if (std::abs(w[k]) >= scales.data<float>()[i] && w[k] * g[k] < 0) g[k] = 0;
    }
  }

  bool complete(int64_t steps) const override { return steps > begin; }
  void before_evaluation() override { hold(true); }
  void after_evaluation() override { hold(false); }
  void save(const Hdf5Group& group) const override { group.write("scales", scales); }
  void load(const Hdf5Group& group) override { group.read_into("scales", scales); }

  void hold(bool held) const {
    for (const auto& rounding : roundings) rounding->held = held, rounding->rounded = {};
  }
};

inline Algorithm powers_of_two() {
  const auto begin = std::make_shared<RunStep>(-1);
  return {.name = "power",
          .heading = "Powers of two",
          .options =
              [begin](Options& rows) {
                rows.add("begin", *begin, "step, or share of the run such as 75%, from which weights are powers of two")
                    .is_switch()
                    .no_default();
              },
          .on = [begin] { return begin->is_share() || *begin >= 0; },
          .how = "nothing is rounded without --power.begin",
          .make = [begin](const Setting& run) { return std::make_unique<PowerOfTwo>(begin->resolved(run.steps)); }};
}

}  // namespace lab
