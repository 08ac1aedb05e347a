// SPDX-License-Identifier: Apache-2.0
// Any number of classes for each sentence or pair, each decided alone, such as the emotions of GoEmotions (Demszky et
// al. 2020, arXiv:2005.00547).
#pragma once

#include "nn/heads/pooled_head.h"

namespace espalier {

// transformers' problem_type "multi_label_classification". PackedBatch::values holds 0 or 1 for each of
// BertConfig::labels. A class is chosen where its probability, the sigmoid of its logit, is above 0.5. The loss is the
// mean binary cross-entropy; the metric is F1 over all decisions together (micro-average), 0 where nothing is chosen
// and nothing is labelled.
class MultiLabel : public PooledHead {
 public:
  using PooledHead::PooledHead;

  // Names with commas or spaces between, none of them in a blank text; or 0 or 1 for each class.
  Label read_label(std::string_view text) const override;
  Var loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const override;
  // The binary form of ops::soft_cross_entropy, each class for itself; the mean over the classes.
  Var soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const override;
  // A class weight is that of yes against no.
  void set_loss(const ops::ClassLoss& loss) override { loss_ = loss; }
  Tensor scores(const Tensor& logits, const PackedBatch& batch) const override;
  Metrics metrics(const Tensor& scores) const override;
  ClassReport report(const Tensor& scores) const override;
  std::string metric() const override { return "f1"; }
  std::vector<Metric> known_metrics() const override;
  Answer answer(const Tensor& logits) const override;

 private:
  bool read_bits(std::string_view text, std::vector<float>& values) const;

  ops::ClassLoss loss_;
};

}  // namespace espalier
