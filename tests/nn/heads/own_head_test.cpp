// SPDX-License-Identifier: Apache-2.0
// Heads of other tasks, defined here: one for whole sentences, one for tokens. They go through Bert, loss, gradients
// and metrics as classification does.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "nn/bert.h"
#include "nn/heads/pooled_head.h"
#include "tests/nn/golden_values.h"

namespace espalier {
namespace {

PackedBatch batch_of(const std::vector<int32_t>& lengths, int32_t first = 0) {
  PackedBatch batch;
  batch.offsets = {0};
  for (const int32_t length : lengths) batch.offsets.push_back(batch.offsets.back() + length);
  for (int32_t i = first; i < first + batch.offsets.back(); ++i) batch.ids.push_back((7 * i * i + 3 * i + 1) % 40);
  batch.segments.assign(batch.ids.size(), 0);
  return batch;
}

double value_of(const Var& loss) { return static_cast<double>(*loss.value.data<float>()); }

// The scores of both, one below the other.
Tensor joined(const Tensor& a, const Tensor& b) {
  Tensor all({a.rows() + b.rows(), a.cols()}, DType::f64);
  std::ranges::copy(a.span<double>(), all.data<double>());
  std::ranges::copy(b.span<double>(), all.data<double>() + a.size());
  return all;
}

// One number for each sentence (as for STS-B), judged by the mean absolute error.
class Regression : public PooledHead {
 public:
  Regression(ParameterStore& store, const Encoder& encoder) : PooledHead(store, encoder, 1) {}
  Label read_label(std::string_view text) const override { return {0, {std::stof(std::string(text))}}; }
  Var loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const override {
    return ops::mse(logits, Tensor::of<float>({batch.sentences(), 1}, batch.values), weight.labels);
  }
  Tensor scores(const Tensor& logits, const PackedBatch& batch) const override {
    Tensor scores({batch.sentences(), 1}, DType::f64);
    for (int64_t b = 0; b < batch.sentences(); ++b)
      scores.data<double>()[b] = static_cast<double>(logits.data<float>()[b] - batch.values[static_cast<size_t>(b)]);
    return scores;
  }
  Metrics metrics(const Tensor& scores) const override {
    double squares = 0, sizes = 0;
    for (const double e : scores.span<double>()) squares += e * e, sizes += std::abs(e);
    const auto n = static_cast<double>(scores.rows());
    return {squares / n, {{metric(), -sizes / n}}};
  }
  std::string metric() const override { return "negative_absolute_error"; }
  Answer answer(const Tensor& logits) const override {
    return {std::to_string(logits.data<float>()[0]), std::nan(""), {}};
  }
  const std::vector<std::string>& labels() const override { return labels_; }
  std::string parts() const override { return "pooler and regression"; }

 private:
  std::vector<std::string> labels_;
};

// The word at each labelled token, as for masked-language modelling: the decoder is the word embeddings.
class WordAtToken : public Head {
 public:
  WordAtToken(ParameterStore& store, const Encoder& encoder)
      : words_(encoder.word_embeddings()),
        bias_((Scope(store) / "cls").parameter("bias", {words_.shape[0]}, Role::bias)) {}
  std::vector<int32_t> rows(const PackedBatch& batch) const override {
    std::vector<int32_t> rows;
    for (size_t t = 0; t < batch.labels.size(); ++t)
      if (batch.labels[t] >= 0) rows.push_back(static_cast<int32_t>(t));
    return rows;
  }
  Var logits(const Var& hidden, Context& context) const override {
    return ops::linear(hidden, words_.use(context), bias_.use(context));
  }
  int64_t width() const override { return 0; }
  Label read_label(std::string_view /*text*/) const override { return {}; }
  Var loss(const Var& logits, const PackedBatch& batch, const LossWeight& weight) const override {
    std::vector<int32_t> wanted;
    for (const int32_t row : rows(batch)) wanted.push_back(batch.labels[static_cast<size_t>(row)]);
    return ops::cross_entropy(logits, wanted, weight.labels);
  }
  Tensor scores(const Tensor& logits, const PackedBatch& batch) const override {
    Tensor scores = Tensor::zeros({batch.sentences(), 3}, DType::f64);  // loss, correct words, words
    int64_t next = 0;
    for (int64_t b = 0; b < batch.sentences(); ++b)
      for (int32_t t = batch.offsets[static_cast<size_t>(b)]; t < batch.offsets[static_cast<size_t>(b) + 1]; ++t) {
        const int32_t label = batch.labels[static_cast<size_t>(t)];
        if (label < 0) continue;
        const auto row = logits.span<float>().subspan(static_cast<size_t>(next++ * logits.cols()), 40);
        double sum = 0;
        for (const float x : row) sum += std::exp(static_cast<double>(x));
        double* const to = scores.data<double>() + 3 * b;
        to[0] += std::log(sum) - static_cast<double>(row[static_cast<size_t>(label)]);
        to[1] += std::ranges::max_element(row) - row.begin() == label ? 1 : 0;
        to[2] += 1;
      }
    return scores;
  }
  Metrics metrics(const Tensor& scores) const override {
    double sums[3] = {};
    for (int64_t i = 0; i < scores.size(); ++i) sums[i % 3] += scores.data<double>()[i];
    return {sums[0] / sums[2], {{metric(), sums[1] / sums[2]}, {"perplexity", std::exp(sums[0] / sums[2])}}};
  }
  std::string metric() const override { return "word_accuracy"; }
  Answer answer(const Tensor& /*logits*/) const override { return {}; }
  const std::vector<std::string>& labels() const override { return labels_; }
  std::string parts() const override { return "decoder"; }
  std::vector<Linear*> linears() override { return {}; }
  std::vector<Linear*> quantizable() override { return {}; }

 private:
  Parameter &words_, &bias_;
  std::vector<std::string> labels_;
};

template <class T>
std::unique_ptr<Head> make(ParameterStore& store, const Encoder& encoder) {
  return std::make_unique<T>(store, encoder);
}

// Two batches of one optimizer step.
using Step = std::array<PackedBatch, 2>;

// Loss and gradients of the step, as a training loop computes them: no line of it knows the task.
double loss_and_gradients(const Bert& model, const Step& step) {
  double total = 0;
  for (const PackedBatch& batch : step) {
    Tape tape;
    Context context{.tape = &tape, .training = true};
    const Var loss =
        model.head().loss(model(batch, context), batch, model.head().weight(step[0]) + model.head().weight(step[1]));
    tape.backward(loss);
    total += value_of(loss);
  }
  return total;
}

Metrics metrics_of(const Bert& model, const Step& step) {
  Context context;
  const auto scores = [&](const PackedBatch& batch) { return model.head().scores(model(batch, context).value, batch); };
  return model.head().metrics(joined(scores(step[0]), scores(step[1])));
}

void descend(ParameterStore& store, float rate) {
  for (Parameter* p : store.all())
    for (int64_t i = 0; p->grad.written && i < p->value.size(); ++i)
      if (!p->grad.by_rows || p->grad.rows->contains(i / p->value.cols()))
        p->value.data<float>()[i] -= rate * p->grad.grad.data<float>()[i];
  store.clear_gradients();
}

// Trains the head with a few steps of gradient descent.
void expect_learns(const Bert& model, ParameterStore& store, const Step& step) {
  fill(store, DType::f32);
  store.make_gradients();
  const Metrics before = metrics_of(model, step);
  EXPECT_NEAR(loss_and_gradients(model, step), before.loss, 1e-4 * before.loss) << "the mean over the step's labels";
  for (int i = 0; i < 60; ++i) {
    descend(store, 0.02F);
    loss_and_gradients(model, step);
  }
  const Metrics after = metrics_of(model, step);
  EXPECT_LT(after.loss, before.loss / 2);
  EXPECT_GT(after.best(), before.best());
  EXPECT_EQ(after.values.front().name, model.head().metric());
}

TEST(OwnHead, RegressionLearnsANumberForEachSentence) {
  ParameterStore store;
  const Bert model(store, golden_config(), make<Regression>);
  EXPECT_EQ(store.at("classifier.weight").shape, (Shape{1, 32}));
  Step step = {batch_of({3, 5, 2}), batch_of({4, 1}, 50)};
  for (PackedBatch& batch : step)
    for (int64_t b = 0; b < batch.sentences(); ++b) {
      const Label label = model.head().read_label(b % 2 == 0 ? "1.5" : "-0.5");
      batch.labels.push_back(label.number);
      batch.values.push_back(label.values[0]);
    }
  expect_learns(model, store, step);
}

TEST(OwnHead, WordsAtTokensShareTheWordEmbeddings) {
  ParameterStore store;
  const Bert model(store, golden_config(), make<WordAtToken>);
  EXPECT_EQ(store.find("bert.pooler.dense.weight"), nullptr) << "belongs to other heads";
  Step step = {batch_of({3, 5, 2}), batch_of({4, 1}, 50)};
  for (PackedBatch& batch : step)
    for (size_t t = 0; t < batch.ids.size(); ++t) batch.labels.push_back(t % 3 == 1 ? batch.ids[t] : -1);
  expect_learns(model, store, step);
  Context context;
  EXPECT_EQ(model(step[0], context).shape(), (Shape{3, 40})) << "only where there is a label";
  Activations inside;
  EXPECT_EQ(model(step[0], context, &inside).shape(), (Shape{3, 40}));
  EXPECT_EQ(inside.hidden.back().shape(), (Shape{10, 32}));
}

// Along its own direction, the gradient of the table that is used at both ends is that of the loss.
TEST(OwnHead, ASharedParameterHasTheGradientOfBothUses) {
  ParameterStore store;
  const Bert model(store, golden_config(), make<WordAtToken>);
  Step step = {batch_of({3, 5, 2}), batch_of({4, 1}, 50)};
  for (PackedBatch& batch : step) batch.labels = batch.ids;
  fill(store, DType::f32);
  store.make_gradients();
  loss_and_gradients(model, step);
  Parameter& words = store.at("bert.embeddings.word_embeddings.weight");
  ASSERT_FALSE(words.grad.by_rows);
  const Tensor gradient = words.grad.grad.clone(), value = words.value.clone();
  double squares = 0;
  for (const float g : gradient.span<float>()) squares += static_cast<double>(g) * static_cast<double>(g);
  const auto moved = [&](double distance) {
    for (int64_t i = 0; i < value.size(); ++i)
      words.value.data<float>()[i] =
          value.data<float>()[i] + static_cast<float>(distance / std::sqrt(squares)) * gradient.data<float>()[i];
    return metrics_of(model, step).loss;
  };
  EXPECT_NEAR((moved(1e-2) - moved(-1e-2)) / 2e-2, std::sqrt(squares), 1e-2 * std::sqrt(squares));
}

}  // namespace
}  // namespace espalier
