// SPDX-License-Identifier: Apache-2.0
// Numbers for each sentence or pair, such as the similarity of STS-B (Cer et al. 2017, arXiv:1708.00055).
#pragma once

#include "nn/heads/pooled_head.h"

namespace espalier {

// One number for each name in BertConfig::labels: transformers' problem_type "regression". PackedBatch::values holds
// the targets. The loss is the mean squared error; the metric is the same with a minus, so that the largest is the
// best. R^2 and the correlations of Pearson and Spearman stand beside it where there is one number that varies.
class Regression : public PooledHead {
 public:
  using PooledHead::PooledHead;

  // As many numbers as there are names, with commas or spaces between.
  Label read_label(std::string_view text) const override;
  Var loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const override;
  // The squared difference; the temperature has no meaning here.
  Var soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const override;
  Tensor scores(const Tensor& logits, const PackedBatch& batch) const override;
  Metrics metrics(const Tensor& scores) const override;
  ClassReport report(const Tensor& scores) const override;
  std::string metric() const override { return "neg_mse"; }
  std::vector<Metric> known_metrics() const override;
  Answer answer(const Tensor& logits) const override;
  std::string parts() const override { return "pooler and regression"; }
};

}  // namespace espalier
