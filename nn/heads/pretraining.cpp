// SPDX-License-Identifier: Apache-2.0
#include "nn/heads/pretraining.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/ops/log_softmax.h"
#include "core/ops/vocabulary_loss.h"

namespace espalier {
namespace {

// Columns of the scores.
enum WordColumn { word_loss, word_count, words_right, pair_loss, pair_right, pair_label, score_columns };

const Encoder& checked(const Encoder& encoder) {
  constexpr const char* types[] = {"bert", "distilbert", "roberta", "electra"};
  const BertConfig& c = encoder.config();
  CHECK(c.architecture == Architecture::bert, "pre-training: the encoder is of model_type ",
        types[static_cast<size_t>(c.architecture)], "; expected bert, which this head belongs to");
  CHECK(c.embedding_width() == c.hidden_size, "pre-training: the word embeddings are ", c.embedding_width(),
        " wide and the layers ", c.hidden_size, "; expected one width, because the decoder is the table of embeddings");
  return encoder;
}

// Losses have no dropout: all that a pass needs is its tape.
Context context_of(const Var& rows) { return {.tape = rows.tape, .training = rows.tape != nullptr}; }

// Calls f(row of the head's rows, token) for each masked token.
template <class F>
void for_masked(const PackedBatch& batch, F f) {
  int32_t row = 0;
  for (int64_t b = 0; b < batch.sentences(); ++b)
    for (int32_t t = batch.offsets[static_cast<size_t>(b)]; t < batch.offsets[static_cast<size_t>(b) + 1]; ++t) {
      const bool first = t == batch.offsets[static_cast<size_t>(b)];
      const bool masked = !batch.labels.empty() && batch.labels[static_cast<size_t>(t)] >= 0;
      CHECK(!first || !masked, "pre-training: the first token of sentence ", b,
            " has a label; expected -1: it stands for the whole sentence");
      if (masked) f(row, t, b);
      if (first || masked) ++row;
    }
}

// The rows of the sentences' first tokens among the head's rows.
std::vector<int32_t> first_rows(const PackedBatch& batch) {
  std::vector<int32_t> masked(static_cast<size_t>(batch.sentences())), rows;
  for_masked(batch, [&](int32_t /*row*/, int32_t /*token*/, int64_t b) { ++masked[static_cast<size_t>(b)]; });
  int32_t row = 0;
  for (const int32_t count : masked) {
    rows.push_back(row);
    row += 1 + count;
  }
  return rows;
}

// [B] 0, 1 or -1.
std::vector<int32_t> pair_labels(const PackedBatch& batch) {
  std::vector<int32_t> labels(static_cast<size_t>(batch.sentences()), -1);
  CHECK(batch.values.empty() || batch.values.size() == labels.size(), "pre-training: ", batch.values.size(),
        " values for ", labels.size(),
        " sentences; expected one for each: whether its second text was drawn at random");
  for (size_t b = 0; b < batch.values.size(); ++b) labels[b] = static_cast<int32_t>(batch.values[b]);
  return labels;
}

}  // namespace

Pretraining::Pretraining(ParameterStore& store, const Encoder& encoder, Pairs pairs)
    : encoder_(checked(encoder)),
      dense_(Scope(store) / "cls" / "predictions" / "transform" / "dense", encoder.config().hidden_size,
             encoder.config().hidden_size),
      norm_(Scope(store) / "cls" / "predictions" / "transform" / "LayerNorm", encoder.config().hidden_size),
      bias_((Scope(store) / "cls" / "predictions").parameter("bias", {encoder.config().vocab_size}, Role::bias)) {
  encoder.word_embeddings().whole_gradient = true;
  if (pairs == Pairs::none) return;
  const int64_t hidden = encoder.config().hidden_size;
  pooler_.emplace(Scope(store) / "bert" / "pooler" / "dense", hidden, hidden);
  classifier_.emplace(Scope(store) / "cls" / "seq_relationship", 2, hidden);
}

std::vector<int32_t> Pretraining::rows(const PackedBatch& batch) const {
  CHECK(batch.labels.empty() || std::ssize(batch.labels) == batch.tokens(), "pre-training: ", batch.labels.size(),
        " labels for ", batch.tokens(), " tokens; expected one for each token");
  std::vector<int32_t> rows(batch.offsets.begin(), batch.offsets.end() - 1);
  for_masked(batch, [&](int32_t /*row*/, int32_t token, int64_t /*sentence*/) { rows.push_back(token); });
  std::ranges::sort(rows);
  return rows;
}

Label Pretraining::read_label(std::string_view /*text*/) const {
  fail("this model's task is pre-training, which learns from plain text; expected no labels: use pretrain");
}

LossWeight Pretraining::weight(const PackedBatch& batch) const {
  const std::vector<int32_t> pairs = pair_labels(batch);
  return {
      static_cast<double>(batch.labelled()),
      classifier_ ? static_cast<double>(std::ranges::count_if(pairs, [](int32_t label) { return label >= 0; })) : 0};
}

// A batch without masked tokens has one row without a label, so that its loss is zero and lies on the tape.
Pretraining::Words Pretraining::words(const Var& rows, const PackedBatch& batch) const {
  std::vector<int32_t> masked, labels;
  for_masked(batch, [&](int32_t row, int32_t token, int64_t /*sentence*/) {
    masked.push_back(row);
    labels.push_back(batch.labels[static_cast<size_t>(token)]);
  });
  if (masked.empty()) {
    masked.push_back(0);
    labels.push_back(-1);
  }
  const Context context = context_of(rows);
  const BertConfig& config = encoder_.config();
  const Var active = ops::activation(dense_(ops::gather_rows(rows, masked), context), config.activation);
  return {norm_.after_residual(active, {Tensor::zeros(active.shape())}, config.layer_norm_eps, {}, context),
          encoder_.word_embeddings().use(context), bias_.use(context), labels};
}

Var Pretraining::pairs(const Var& rows, const PackedBatch& batch) const {
  const Context context = context_of(rows);
  return (*classifier_)(ops::tanh((*pooler_)(ops::gather_rows(rows, first_rows(batch)), context)), context);
}

Var Pretraining::loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const {
  const auto divisor = [](double sum) { return sum > 0 ? sum : 1; };
  const Words w = words(logits, batch);
  Var of_words =
      ops::vocabulary_cross_entropy(w.states, w.table, w.bias, w.labels, divisor(weight.labels), encoder_.compute());
  if (!classifier_ || weight.pairs == 0) return of_words;
  return ops::sum(std::array{of_words, ops::cross_entropy(pairs(logits, batch), pair_labels(batch), weight.pairs)});
}

Var Pretraining::soft_loss(const Var& /*logits*/, const Tensor& /*teacher*/, double /*temperature*/,
                           double /*divisor*/) const {
  fail(
      "distill: this model's task is pre-training, whose teacher is compared at masked tokens; expected a classifier, "
      "or pretrain with --distill.teacher");
}

Var Pretraining::soft_loss(const Var& logits, const PackedBatch& batch, const Pretraining& teacher,
                           const Tensor& states, double temperature, double divisor) const {
  const Words own = words(logits, batch), other = teacher.words({states}, batch);
  if (own.labels.front() < 0) return loss(logits, batch, 1);  // nothing is masked: zero
  return ops::vocabulary_soft_cross_entropy(own.states, own.table, own.bias,
                                            {other.states.value, other.table.value, other.bias.value}, temperature,
                                            divisor, encoder_.compute());
}

Tensor Pretraining::scores(const Tensor& logits, const PackedBatch& batch) const {
  Tensor scores = Tensor::zeros({batch.sentences(), score_columns}, DType::f64);
  const auto at = [&](int64_t b, int64_t column) -> double& {
    return scores.data<double>()[b * score_columns + column];
  };
  const Words w = words({logits}, batch);
  const auto of_words =
      ops::vocabulary_scores(w.states.value, w.table.value, w.bias.value, w.labels, encoder_.compute());
  size_t next = 0;
  for_masked(batch, [&](int32_t /*row*/, int32_t /*token*/, int64_t b) {
    at(b, word_loss) -= of_words[next].log_probability;
    at(b, word_count) += 1;
    at(b, words_right) += of_words[next].likeliest == w.labels[next] ? 1 : 0;
    ++next;
  });
  const std::vector<int32_t> labels = pair_labels(batch);
  const Tensor of_pairs = classifier_ ? pairs({logits}, batch).value : Tensor();
  for (int64_t b = 0; b < batch.sentences(); ++b) {
    const int32_t label = classifier_ ? labels[static_cast<size_t>(b)] : -1;
    at(b, pair_label) = label;
    if (label < 0) continue;
    double log_p[2];
    ops::log_softmax(of_pairs.data<float>() + 2 * b, 2, 1.0, log_p);
    at(b, pair_loss) = -log_p[label];
    at(b, pair_right) = log_p[label] > log_p[1 - label] ? 1 : 0;
  }
  return scores;
}

Metrics Pretraining::metrics(const Tensor& scores) const {
  double sums[score_columns] = {}, all_pairs = 0;
  for (int64_t b = 0; b < scores.rows(); ++b) {
    const double* const row = scores.data<double>() + b * scores.cols();
    for (int64_t c = 0; c < score_columns; ++c) sums[c] += row[c];
    all_pairs += row[pair_label] >= 0 ? 1 : 0;
  }
  CHECK(sums[word_count] > 0, "pre-training: no token is masked; expected some for loss and accuracy");
  Metrics m{sums[word_loss] / sums[word_count],
            {{metric(), sums[words_right] / sums[word_count]}, {"masked_loss", sums[word_loss] / sums[word_count]}}};
  if (all_pairs == 0) return m;
  m.loss += sums[pair_loss] / all_pairs;
  m.add("pair_accuracy", sums[pair_right] / all_pairs);
  m.add("pair_loss", sums[pair_loss] / all_pairs);
  return m;
}

std::vector<Metric> Pretraining::known_metrics() const {
  std::vector<Metric> known = {{metric()}, {"masked_loss", true}};
  if (classifier_) known.insert(known.end(), {{"pair_accuracy"}, {"pair_loss", true}});
  known.push_back({"loss", true});
  return known;
}

Answer Pretraining::answer(const Tensor& /*logits*/) const {
  fail("this model's task is pre-training, which answers nothing about a text; train a head first, with train --model");
}

std::string Pretraining::parts() const { return classifier_ ? "word decoder and pooler" : "word decoder"; }

std::vector<Linear*> Pretraining::linears() {
  return classifier_ ? std::vector{&dense_, &*pooler_, &*classifier_} : std::vector{&dense_};
}

}  // namespace espalier
