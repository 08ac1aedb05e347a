// SPDX-License-Identifier: Apache-2.0
// Distiller: the Compressor that adds a teacher's terms to the loss. Everything else about a student (fewer layers,
// masks, fake-quant) comes from elsewhere. Used by distill and train_sst2 --distill.*.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compress/compressor.h"
#include "compress/distillation/distill_options.h"
#include "compress/distillation/teacher_states.h"
#include "compress/learned.h"
#include "nn/heads/pretraining.h"

namespace espalier {

class Distiller : public Compressor {
 public:
  // Opens, or makes, the teacher's states that the options compare.
  using KeepStates = std::function<std::unique_ptr<TeacherStates>(const StateParts&)>;

  // logits[N, C]: the teacher's, for the rows of the training data. Without `keep` its states are computed for each
  // batch. Without logits the text is pre-training's: the teacher answers each batch, and alpha's part of the loss
  // compares what both say of masked tokens.
  Distiller(const DistillOptions& options, std::shared_ptr<const Teacher> teacher, const Tensor& logits, uint64_t seed,
            KeepStates keep = {});

  // Throws where layers are to be compared that cannot be: out of range, or attention with other numbers of heads.
  void attach(Bert& model, ParameterStore& store) override;
  void before_forward(int64_t step) override;
  Var loss(const Var& task, const StepOutput& output, const Context& context) override;
  std::map<std::string, double> terms() const override { return terms_; }
  bool looks_inside() const override { return options_.looks_inside(); }
  Observed take_observed() override;  // the terms
  void absorb(std::span<const Observed> lanes) override;
  std::vector<ParameterStore*> learned() override;
  bool reads_gradients() const override { return false; }
  void after_step(int64_t step) override;
  void save(const Hdf5Group& group) const override { projections_.save(group); }
  void load(const Hdf5Group& group) override { projections_.load(group); }
  std::map<std::string, std::string> inputs() const override;  // each teacher
  std::string describe() const override;

 private:
  struct Terms;
  StateParts parts() const;
  Var loss_of_answer(Terms& terms, const StepOutput& output, const Context& context) const;
  void add_inner(Terms& terms, const StepOutput& output, const Activations& goal, const Context& context) const;

  DistillOptions options_;
  std::shared_ptr<const Teacher> teacher_;
  Tensor logits_;
  const Pretraining *words_ = nullptr, *teachers_words_ = nullptr;  // the heads of both; null: other ones
  uint64_t seed_;
  KeepStates keep_;
  std::unique_ptr<TeacherStates> states_;
  LayerMap::Pairs layers_;
  std::pair<int64_t, int64_t> last_{};  // layers of student and teacher whose relations are compared
  Learned projections_;                 // from the student's width to the teacher's
  std::unique_ptr<Linear> hidden_, embedding_;
  std::map<std::string, double> terms_;
};

}  // namespace espalier
