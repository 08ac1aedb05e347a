// SPDX-License-Identifier: Apache-2.0
// Head: a task on top of the encoder. It turns hidden states into logits, knows the task's loss and metrics, and says
// an answer in words. One head is one file here and one row in heads.cpp; nothing else in the project names a task.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nn/encoder.h"
#include "nn/heads/answer.h"
#include "nn/heads/metrics.h"
#include "nn/label.h"

namespace espalier {

// What labels count in the means that a loss is made of. Most losses are one mean. That of pre-training is the sum of
// two: over masked tokens and over pairs of sentences. The weight of an optimizer step is the sum over its batches.
struct LossWeight {
  LossWeight(double of_labels = 0, double of_pairs = 0) : labels(of_labels), pairs(of_pairs) {}
  bool operator==(const LossWeight&) const = default;

  double labels, pairs;
};
inline LossWeight operator+(const LossWeight& a, const LossWeight& b) {
  return {a.labels + b.labels, a.pairs + b.pairs};
}

class Head {
 public:
  virtual ~Head() = default;

  // The rows of the hidden states [T, H] that logits() takes, distinct and in order: the [CLS] tokens, say, or those
  // with a label. Empty: all of them.
  virtual std::vector<int32_t> rows(const PackedBatch& batch) const = 0;

  // hidden[R, H], the wanted rows -> logits[R, C]. Dropout follows the context.
  virtual Var logits(const Var& hidden, Context& context) const = 0;

  // C where each sentence has one row of logits; 0 where rows belong to tokens.
  virtual int64_t width() const = 0;

  // What a field of the dataset's label column says. Throws Error with what was found and what was expected.
  virtual Label read_label(std::string_view text) const = 0;

  // The loss of one batch of an optimizer step: summed over what is labelled in the batch, divided by `weight`, that of
  // all batches of the step. So the sum over the step's batches is the mean, and zero where nothing is labelled. One
  // element.
  virtual Var loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const = 0;
  // What a batch counts in that mean: its labels, unless a head weighs them.
  virtual LossWeight weight(const PackedBatch& batch) const { return static_cast<double>(batch.labelled()); }
  // From now on loss() is this one; metrics() keep the plain loss. Throws, naming the option, for what the task does
  // not have: unless a head knows better, for all but the plain loss.
  virtual void set_loss(const ops::ClassLoss& loss);

  // Distillation: how far logits[R, C] are from a teacher's, summed over the rows and divided by `divisor`. One
  // element. Unless a head knows better: ops::soft_cross_entropy.
  virtual Var soft_loss(const Var& logits, const Tensor& teacher, double temperature, double divisor) const;

  // What metrics() needs to know of each sentence: [B, K] f64, in the batch's order. The rows of a dataset are put
  // together in file order, so that metrics do not depend on how batches were cut.
  virtual Tensor scores(const Tensor& logits, const PackedBatch& batch) const = 0;
  // Of the scores [N, K] of all sentences. Sentences without a label do not count; throws if none has one.
  virtual Metrics metrics(const Tensor& scores) const = 0;
  // Of each class, for evaluate; unless a head knows better, nothing.
  virtual ClassReport report(const Tensor& /*scores*/) const { return {}; }
  // The name of the metric that decides which checkpoint of a run is the best, unless the user names another.
  virtual std::string metric() const = 0;
  // What the user may name: all that metrics() can have, and the loss. Unless a head knows better, metric() and loss.
  virtual std::vector<Metric> known_metrics() const { return {{metric()}, {"loss", true}}; }

  // About the only sentence of a batch, from its logits.
  virtual Answer answer(const Tensor& logits) const = 0;

  // Names of the classes, or of the numbers, in order; empty for a task without such. Teacher and student must agree.
  virtual const std::vector<std::string>& labels() const = 0;

  // What it consists of, in reports: "pooler and classifier".
  virtual std::string parts() const = 0;
  // Its linear layers, all of them, and those that int8 is for.
  virtual std::vector<Linear*> linears() = 0;
  virtual std::vector<Linear*> quantizable() = 0;
};

// Makes a head and adds its parameters to the store. Store and encoder outlive it.
using MakeHead = std::unique_ptr<Head> (*)(ParameterStore& store, const Encoder& encoder);

}  // namespace espalier
