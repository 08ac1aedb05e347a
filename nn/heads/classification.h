// SPDX-License-Identifier: Apache-2.0
// One class of several for each sentence or pair (Devlin et al. 2019, arXiv:1810.04805, section 4.1).
#pragma once

#include "nn/heads/class_reader.h"
#include "nn/heads/head.h"
#include "nn/heads/pooled_logits.h"

namespace espalier {

// PackedBatch::labels holds the class of each sentence, -1 for none; the names of the classes are BertConfig::labels.
// The metric is accuracy; of equal logits the first counts.
class Classification : public Head {
 public:
  Classification(ParameterStore& store, const Encoder& encoder)
      : logits_(store, encoder, encoder.config().classes()), labels_(encoder.config().labels), reader_(labels_) {}

  std::vector<int32_t> rows(const PackedBatch& batch) const override { return first_rows(batch); }
  Var logits(const Var& hidden, Context& context) const override { return logits_(hidden, context); }
  int64_t width() const override { return std::ssize(labels_); }
  Label read_label(std::string_view text) const override { return reader_(text); }
  Var loss(const Var& logits, const PackedBatch& batch, int64_t labelled) const override;
  Tensor scores(const Tensor& logits, const PackedBatch& batch) const override;
  Metrics metrics(const Tensor& scores) const override;
  std::string metric() const override { return "accuracy"; }
  Answer answer(const Tensor& logits) const override;
  const std::vector<std::string>& labels() const override { return labels_; }
  std::string parts() const override { return "pooler and classifier"; }
  std::vector<Linear*> linears() override { return {&logits_.pooler, &logits_.classifier}; }
  std::vector<Linear*> quantizable() override { return {&logits_.pooler}; }

 private:
  PooledLogits logits_;
  const std::vector<std::string>& labels_;
  ClassReader reader_;
};

}  // namespace espalier
