// SPDX-License-Identifier: Apache-2.0
// A student that learns from the average of its own past weights (Tarvainen & Valpola 2017, arXiv:1703.01780): the
// average's answers, and its last hidden states, are a term of the loss.
#pragma once

#include <utility>

#include "compress/algorithm.h"
#include "core/ops.h"

namespace lab {
using namespace espalier;

struct AverageOptions {
  double weight = 0, hidden_weight = 0, decay = 0.99;
};

struct AveragedTeacher : Compressor {
  AveragedTeacher(const AverageOptions& o, const Model& model) : options(o), teacher(model.config, model.tokenizer) {
    teacher.store.lay_out();
    model.store.settle();
    teacher.store.values().copy_from(model.store.values());
  }
  AverageOptions options;
  Model teacher;
  ParameterStore* student = nullptr;
  double part = 0;  // of the step's loss

  std::string describe() const override { return "learn: from the average of the weights so far"; }
  void attach(Bert& /*model*/, ParameterStore& store) override { student = &store; }
  void before_forward(int64_t /*step*/) override { part = 0; }
  bool looks_inside() const override { return options.hidden_weight > 0; }

  Var loss(const Var& task, const StepOutput& output, const Context& /*context*/) override {
    Context none;  // without a tape nothing is recorded
    Activations inside;
    const Tensor goal = (*teacher.bert)(output.batch, none, looks_inside() ? &inside : nullptr).value;
    const auto sentences = static_cast<double>(output.window.sentences);
    std::vector<Var> terms = {task, teacher.bert->head().soft_loss(output.logits, goal, 1, sentences)};
    std::vector<double> weights = {1, options.weight};
    if (looks_inside()) {
      const Tensor& hidden = inside.hidden.back().value;
      const double elements = static_cast<double>(output.window.tokens) * static_cast<double>(hidden.cols());
      terms.push_back(ops::mse(output.inside.hidden.back(), hidden, elements));
      weights.push_back(options.hidden_weight);
    }
    part += static_cast<double>(*terms[1].value.data<float>());
    return ops::sum(terms, weights);
  }
  std::map<std::string, double> terms() const override { return {{"average_loss", part}}; }
  Observed take_observed() override { return {std::exchange(part, 0.0)}; }
  void absorb(std::span<const Observed> lanes) override {
    for (const Observed& lane : lanes) part += lane[0];
  }
  bool reads_gradients() const override { return false; }

  void after_step(int64_t /*step*/) override {
    student->settle();
    const auto now = student->values().span<float>(), average = teacher.store.values().span<float>();
    const auto kept = static_cast<float>(options.decay);
    for (size_t i = 0; i < now.size(); ++i) average[i] = kept * average[i] + (1 - kept) * now[i];
  }

  void save(const Hdf5Group& group) const override { group.write("average", teacher.store.values()); }
  void load(const Hdf5Group& group) override { group.read_into("average", teacher.store.values()); }
};

inline Algorithm averaged_teacher() {
  const auto o = std::make_shared<AverageOptions>();
  return {
      .name = "average",
      .heading = "Averaged teacher",
      .options =
          [o](Options& rows) {
            rows.add("weight", o->weight, "weight of the loss to the average's answers").is_switch().not_negative();
            rows.add("hidden-weight", o->hidden_weight, "weight of the loss to its last hidden states").not_negative();
            rows.add("decay", o->decay, "of the average, each step")
                .range([o] { return o->decay >= 0 && o->decay < 1; }, "a share in [0, 1) is expected");
          },
      .on = [o] { return o->weight > 0; },
      .how = "nothing is averaged without --average.weight",
      .make = [o](const Setting& run) { return std::make_unique<AveragedTeacher>(*o, run.model); }};
}

}  // namespace lab
