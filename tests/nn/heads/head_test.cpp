// SPDX-License-Identifier: Apache-2.0
// Classification against values by hand, and the table of heads.
#include "nn/heads/head.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "nn/bert.h"
#include "nn/heads/heads.h"
#include "tests/golden/golden.h"
#include "tests/nn/golden_values.h"

namespace espalier {
namespace {

PackedBatch batch_of(const std::vector<int32_t>& lengths) {
  PackedBatch batch;
  batch.offsets = {0};
  for (const int32_t length : lengths) batch.offsets.push_back(batch.offsets.back() + length);
  return batch;
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) { return e.what(); }
  return "no error";
}

double value_of(const Var& loss) { return static_cast<double>(*loss.value.data<float>()); }

class ClassificationTest : public testing::Test {
 protected:
  ParameterStore store_;
  Bert model_{store_, golden_config()};
  const Head& head_ = model_.head();
  // Softmax of the rows: 1/4 1/2 1/4; 1/3 three times; e^2 of e^2 + 2.
  const float ln2_ = std::numbers::ln2_v<float>;
  const Tensor logits_ = Tensor::of<float>({3, 3}, std::vector<float>{0, ln2_, 0, 1, 1, 1, 0, 0, 2});
};

TEST_F(ClassificationTest, LossIsTheMeanOverTheLabelsOfTheStep) {
  PackedBatch batch = batch_of({2, 3, 1});
  batch.labels = {1, 0, 2};
  const double third = std::log(std::exp(2.0) + 2) - 2, sum = std::log(2.0) + std::log(3.0) + third;
  EXPECT_EQ(batch.labelled(), 3);
  EXPECT_NEAR(value_of(head_.loss({logits_}, batch, 3)), sum / 3, 1e-6);
  EXPECT_NEAR(value_of(head_.loss({logits_}, batch, 6)), sum / 6, 1e-6) << "one of the step's two batches";
  batch.labels = {1, -1, 2};
  EXPECT_EQ(batch.labelled(), 2);
  EXPECT_NEAR(value_of(head_.loss({logits_}, batch, 2)), (std::log(2.0) + third) / 2, 1e-6);
  batch.labels = {-1, -1, -1};
  EXPECT_EQ(value_of(head_.loss({logits_}, batch, head_.weight(batch))), 0);
}

// The mean over the step is weighted: cut into batches, it is that of one batch.
TEST_F(ClassificationTest, WeightedLossOfAStepDoesNotDependOnItsBatches) {
  model_.head().set_loss({.weights = {1, 3, 0.5}});
  PackedBatch whole = batch_of({2, 3, 1}), first = batch_of({2, 3}), second = batch_of({1});
  whole.labels = {1, 0, 2}, first.labels = {1, 0}, second.labels = {2};
  const double third = std::log(std::exp(2.0) + 2) - 2, weight = head_.weight(whole).labels;
  EXPECT_EQ(weight, 4.5);
  EXPECT_EQ(head_.weight(first) + head_.weight(second), weight);
  const double loss = value_of(head_.loss({logits_}, whole, weight));
  EXPECT_NEAR(loss, (3 * std::log(2.0) + std::log(3.0) + 0.5 * third) / 4.5, 1e-6);
  EXPECT_NEAR(value_of(head_.loss({logits_.view(0, {2, 3})}, first, weight)) +
                  value_of(head_.loss({logits_.view(6, {1, 3})}, second, weight)),
              loss, 1e-6);
  const Metrics metrics = head_.metrics(head_.scores(logits_, whole));
  EXPECT_NEAR(metrics.loss, (std::log(2.0) + std::log(3.0) + third) / 3, 1e-6) << "models are judged by the plain loss";
  model_.head().set_loss({.weights = {0, 1, 1}});
  whole.labels = {0, 0, -1};
  EXPECT_EQ(head_.weight(whole), 0);
  EXPECT_EQ(value_of(head_.loss({logits_}, whole, 0)), 0) << "nothing that counts";
}

TEST_F(ClassificationTest, LossIsFiniteForAnyGapBetweenLogits) {
  PackedBatch batch = batch_of({1, 1});
  batch.labels = {0, 2};
  const Tensor far = Tensor::of<float>({2, 3}, std::vector<float>{0, 1000, 0, -3e4F, 0, 0});
  const Metrics metrics = head_.metrics(head_.scores(far, batch));
  EXPECT_NEAR(metrics.loss, (1000 + std::log(2.0)) / 2, 1e-6);
  EXPECT_NEAR(value_of(head_.loss({far}, batch, 2)), metrics.loss, 1e-4);
}

TEST_F(ClassificationTest, MetricsCountSentencesWithALabel) {
  PackedBatch batch = batch_of({2, 3, 1});
  batch.labels = {1, 0, 0};
  const Metrics all = head_.metrics(head_.scores(logits_, batch));
  EXPECT_NEAR(all.loss, (std::log(2.0) + std::log(3.0) + std::log(std::exp(2.0) + 2)) / 3, 1e-6);
  EXPECT_EQ(all.values[0].name, "accuracy");
  EXPECT_EQ(all.values[1].name, "macro_f1");
  EXPECT_NEAR(all.values[1].value, (2.0 / 3 + 1) / 3, 1e-12) << "the class that is only predicted counts";
  EXPECT_EQ(head_.metric(), "accuracy");
  EXPECT_EQ(all.best(), 2.0 / 3) << "of equal logits the first counts, which is the second sentence's label";
  batch.labels = {1, 1, -1};
  const Metrics some = head_.metrics(head_.scores(logits_, batch));
  EXPECT_NEAR(some.loss, (std::log(2.0) + std::log(3.0)) / 2, 1e-6);
  EXPECT_EQ(some.best(), 0.5);
  batch.labels = {-1, -1, -1};
  EXPECT_EQ(error_of([&] { head_.metrics(head_.scores(logits_, batch)); }),
            "classification: no sentence has a label; expected some for loss and accuracy");
}

// Labels and answers are those of tests/golden/report_statistics.py.
TEST_F(ClassificationTest, MacroF1IsThatOfScikitLearn) {
  const golden::File file("report_statistics.txt");
  const auto& cases = file.at("macro_f1");
  for (size_t i = 0; i < cases.size(); i += 5) {
    const auto count = static_cast<int64_t>(cases[i]), classes = static_cast<int64_t>(cases[i + 1]);
    const auto drawn = [&](int64_t n, double factor) {
      return static_cast<double>((n * static_cast<int64_t>(factor) + n * n / 7) % classes);
    };
    std::vector<double> scores;
    for (int64_t n = 0; n < count; ++n)
      scores.insert(scores.end(), {-1, drawn(n, cases[i + 3]), drawn(n, cases[i + 2]), 0.5, 0.25, 0.25});
    const Metrics metrics = head_.metrics(Tensor::of<double>({count, 6}, scores));
    EXPECT_NEAR(metrics.values[1].value, cases[i + 4], 1e-12) << count << " sentences";
  }
}

TEST_F(ClassificationTest, AnswersWithNameAndProbabilities) {
  const Answer answer = head_.answer(logits_.view(0, {1, 3}));
  EXPECT_EQ(answer.label, "b");
  EXPECT_NEAR(answer.probability, 0.5, 1e-6);
  ASSERT_EQ(answer.probabilities.size(), 3);
  EXPECT_NEAR(answer.probabilities[2], 0.25, 1e-6);
  EXPECT_EQ(head_.answer(logits_.view(3, {1, 3})).label, "a") << "the first of equals";
  EXPECT_EQ(head_.labels(), (std::vector<std::string>{"a", "b", "c"}));
}

TEST_F(ClassificationTest, ReadsNamesAndNumbers) {
  EXPECT_EQ(head_.read_label("c").number, 2);
  EXPECT_EQ(head_.read_label("0").number, 0);
  EXPECT_TRUE(head_.read_label("a").values.empty());
  EXPECT_EQ(error_of([&] { head_.read_label("d"); }),
            "label 'd' is unknown; expected one of 'a', 'b', 'c' or 0 to 2: correct the line, or the number of "
            "classes");
}

TEST_F(ClassificationTest, TakesTheFirstTokens) {
  EXPECT_EQ(head_.rows(batch_of({2, 3, 1})), (std::vector<int32_t>{0, 2, 5}));
  EXPECT_EQ(head_.width(), 3);
  EXPECT_FALSE(Encoder::owns("classifier.weight"));
  EXPECT_FALSE(Encoder::owns("bert.pooler.dense.bias"));
  EXPECT_TRUE(Encoder::owns("bert.embeddings.LayerNorm.bias"));
}

TEST(Heads, NamesThatAreUnknownAreRefused) {
  BertConfig config = golden_config();
  config.head = "poetry";
  ParameterStore store;
  EXPECT_EQ(error_of([&] { Bert(store, config); }),
            "model: head is 'poetry', expected one of classification, regression, multi-label, pre-training, "
            "masked-words");
}

}  // namespace
}  // namespace espalier
