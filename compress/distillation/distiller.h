// SPDX-License-Identifier: Apache-2.0
// Distiller: the Compressor that adds a teacher's terms to the loss. Everything else about a student (fewer layers,
// masks, fake-quant) comes from elsewhere. Used by distill and train_sst2 --distill.*.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "compress/compressor.h"
#include "compress/distillation/teacher_states.h"
#include "compress/learned.h"

namespace espalier {

// loss = (1 - alpha) hard + alpha soft + hidden_weight hidden + attention_weight attention + relation_weight relation
//        + embedding_weight embedding; each a mean over the step's sentences (hidden states: over its tokens).
struct DistillOptions {
  double temperature = 2;  // of the soft loss: T^2 KL(softmax(teacher / T) || softmax(student / T))
  double alpha = 0.9;      // 1: soft only
  double hidden_weight = 0, attention_weight = 0, relation_weight = 0, embedding_weight = 0;
  std::string hidden_loss = "mse";    // or cosine
  std::string attention_loss = "kl";  // of the probabilities; mse: of the scores before softmax
  int64_t relation_heads = 0;         // of the last layer's relations; 0: the teacher's heads
  std::string layer_map = "uniform";  // see map_layers
  double projection_rate = 1e-3;      // learning rate of the projections that stand between other widths

  bool looks_inside() const;
  // Throws for the first value that is unknown or out of range; options are named with `prefix`, such as "--distill.".
  void check(const std::string& prefix) const;
};

// Which teacher layer each student layer is compared with, as (student, teacher), from 0. "uniform": layer i of S with
// the last of its share of T layers, (i + 1) T / S - 1 (TinyBERT); "last": with the teacher's last S layers; else pairs
// such as "0:1,2:5". Throws for anything else and for layers that are not there.
std::vector<std::pair<int64_t, int64_t>> map_layers(const std::string& map, int64_t student, int64_t teacher);

class Distiller : public Compressor {
 public:
  // Opens, or makes, the teacher's states that the options compare.
  using KeepStates = std::function<std::unique_ptr<TeacherStates>(const StateParts&)>;

  // logits[N, C]: the teacher's, for the rows of the training data. Without `keep` its states are computed for each
  // batch.
  Distiller(const DistillOptions& options, std::shared_ptr<const Teacher> teacher, const Tensor& logits, uint64_t seed,
            KeepStates keep = {});

  // Throws where layers are to be compared that cannot be: out of range, or attention with other numbers of heads.
  void attach(Bert& model, ParameterStore& store) override;
  void before_forward(int64_t /*step*/) override { terms_.clear(); }
  Var loss(const Var& task, const StepOutput& output, const Context& context) override;
  std::map<std::string, double> terms() const override { return terms_; }
  bool looks_inside() const override { return options_.looks_inside(); }
  void after_step(int64_t step) override;
  void save(const Hdf5Group& group) const override { projections_.save(group); }
  void load(const Hdf5Group& group) override { projections_.load(group); }
  std::string describe() const override;

 private:
  struct Terms;
  StateParts parts() const;
  void add_inner(Terms& terms, const StepOutput& output, const Context& context) const;

  DistillOptions options_;
  std::shared_ptr<const Teacher> teacher_;
  Tensor logits_;
  uint64_t seed_;
  KeepStates keep_;
  std::unique_ptr<TeacherStates> states_;
  std::vector<std::pair<int64_t, int64_t>> layers_;
  std::pair<int64_t, int64_t> last_{};  // layers of student and teacher whose relations are compared
  Learned projections_;                 // from the student's width to the teacher's
  std::unique_ptr<Linear> hidden_, embedding_;
  std::map<std::string, double> terms_;
};

}  // namespace espalier
