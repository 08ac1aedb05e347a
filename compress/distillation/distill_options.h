// SPDX-License-Identifier: Apache-2.0
// The options of distillation: how a student's loss is made of a teacher's answers, and where these come from. Used by
// the Distiller, by distill and, as --distill.*, by training.
#pragma once

#include <string>
#include <vector>

#include "compress/distillation/layer_map.h"
#include "core/options.h"
#include "core/products/precision.h"
#include "data/text/augment.h"

namespace espalier {

enum class HiddenLoss { mse, cosine };
template <>
struct Names<HiddenLoss> {
  static constexpr const char* list[] = {"mse", "cosine"};
};
enum class AttentionLoss { kl, mse };  // of the probabilities; of the scores before softmax
template <>
struct Names<AttentionLoss> {
  static constexpr const char* list[] = {"kl", "mse"};
};

// loss = hard_weight hard + alpha soft + hidden_weight hidden + attention_weight attention + relation_weight relation
//        + embedding_weight embedding; each a mean over the step's sentences (hidden states: over its tokens).
struct DistillOptions {
  double temperature = 2;   // of the soft loss: T^2 KL(softmax(teacher / T) || softmax(student / T))
  double alpha = 0.9;       // 1: soft only
  double hard_weight = -1;  // negative: 1 - alpha
  double hidden_weight = 0, attention_weight = 0, relation_weight = 0, embedding_weight = 0;
  HiddenLoss hidden_loss = HiddenLoss::mse;
  AttentionLoss attention_loss = AttentionLoss::kl;
  int64_t relation_heads = 0;     // of the last layer's relations; 0: the teacher's heads
  LayerMap layer_map = {};        // of hidden states and attention
  double projection_rate = 1e-3;  // learning rate of the projections that stand between other widths

  bool looks_inside() const;
  double hard() const { return hard_weight < 0 ? 1 - alpha : hard_weight; }
  void declare(Options& rows);
  void check(const std::string& prefix = "") const;  // throws for the first value out of range, named with `prefix`
};

// Distillation as a program runs it.
struct DistillationOptions {
  DistillOptions loss;
  std::vector<std::string> teachers = {};      // none: no distillation
  StudentLayers student_layers = {};           // of the model to start from
  Precision precision = Precision::automatic;  // of the teachers
  std::string cache = {};                      // file with the teachers' logits; empty: one beside the output
  bool keep_states = false;                    // the teacher's hidden states too
  std::string unlabelled = {};                 // TSV with more sentences
  AugmentOptions augment = {.copies = 0};

  bool on() const { return !teachers.empty(); }
  void declare(Options& rows);
};

}  // namespace espalier
