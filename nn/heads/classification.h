// SPDX-License-Identifier: Apache-2.0
// One class of several for each sentence or pair (Devlin et al. 2019, arXiv:1810.04805, section 4.1).
#pragma once

#include "nn/heads/class_reader.h"
#include "nn/heads/pooled_head.h"

namespace espalier {

// PackedBatch::labels holds the class of each sentence, -1 for none; the names of the classes are BertConfig::labels.
// The metric is accuracy; of equal logits the first counts. f1, precision and recall are of the second of two classes.
class Classification : public PooledHead {
 public:
  Classification(ParameterStore& store, const Encoder& encoder) : PooledHead(store, encoder), reader_(labels()) {}

  Label read_label(std::string_view text) const override { return reader_(text); }
  Var loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const override;
  // The sum of the weights of the labels, so that the loss is the weighted mean, as PyTorch's CrossEntropyLoss.
  LossWeight weight(const PackedBatch& batch) const override;
  void set_loss(const ops::ClassLoss& loss) override { loss_ = loss; }
  Tensor scores(const Tensor& logits, const PackedBatch& batch) const override;
  Metrics metrics(const Tensor& scores) const override;
  ClassReport report(const Tensor& scores) const override;
  std::string metric() const override { return "accuracy"; }
  std::vector<Metric> known_metrics() const override;
  Answer answer(const Tensor& logits) const override;

 private:
  ClassReader reader_;
  ops::ClassLoss loss_;
};

}  // namespace espalier
