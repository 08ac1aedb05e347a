// SPDX-License-Identifier: Apache-2.0
// Regression and several labels at once, against values by hand.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "nn/bert.h"
#include "tests/nn/golden_values.h"

namespace espalier {
namespace {

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) { return e.what(); }
  return "no error";
}

void expect_in(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << part << " is not in: " << text;
}

double value_of(const Var& loss) { return static_cast<double>(*loss.value.data<float>()); }

// A head of the golden model, and a batch of four sentences, the third of which has no label.
struct OfFour {
  OfFour(const std::string& head, std::vector<std::string> labels) : model(store, config(head, std::move(labels))) {
    batch.offsets = {0, 1, 2, 3, 4};
    batch.labels = {0, 0, -1, 0};
  }
  static BertConfig config(const std::string& head, std::vector<std::string> labels) {
    BertConfig config = golden_config();
    config.head = head;
    config.labels = std::move(labels);
    return config;
  }
  const Head& head() const { return model.head(); }
  ParameterStore store;
  Bert model;
  PackedBatch batch;
};

TEST(RegressionHead, LossAndMetricsAreOfTheLabelled) {
  OfFour r("regression", {"score"});
  r.batch.values = {1, 2, 0, -1};
  const Tensor logits = Tensor::of<float>({4, 1}, std::vector<float>{1.5, 2, 100, -3});
  EXPECT_NEAR(value_of(r.head().loss({logits}, r.batch, 3)), (0.25 + 4) / 3, 1e-6);
  EXPECT_NEAR(value_of(r.head().loss({logits}, r.batch, 6)), (0.25 + 4) / 6, 1e-6) << "one of the step's two batches";
  const Metrics metrics = r.head().metrics(r.head().scores(logits, r.batch));
  EXPECT_NEAR(metrics.loss, (0.25 + 4) / 3, 1e-6);
  EXPECT_EQ(metrics.best(), -metrics.loss) << "the largest is the best";
  EXPECT_NEAR(metrics.at("pearson"), 0.9707253, 1e-6);  // numpy.corrcoef
  EXPECT_NEAR(
      value_of(r.head().soft_loss({logits}, Tensor::of<float>({4, 1}, std::vector<float>{0, 2, 100, -3}), 5, 4)),
      2.25 / 4, 1e-6);
  r.batch.labels = {-1, -1, -1, -1};
  EXPECT_EQ(value_of(r.head().loss({logits}, r.batch, 0)), 0);
  expect_in(error_of([&] { r.head().metrics(r.head().scores(logits, r.batch)); }), "no sentence has a label");
}

TEST(RegressionHead, HasNoClassesToWeigh) {
  OfFour r("regression", {"score"});
  r.model.head().set_loss({});
  expect_in(error_of([&] { r.model.head().set_loss({.weights = {1}}); }), "--class-weights: this model's task");
  expect_in(error_of([&] { r.model.head().set_loss({.smoothing = 0.1}); }), "--label-smoothing: this model's task");
  expect_in(error_of([&] { r.model.head().set_loss({.gamma = 2}); }), "--focal-gamma: this model's task");
}

TEST(RegressionHead, ConstantLabelsHaveNoCorrelation) {
  OfFour r("regression", {"score"});
  r.batch.labels = {0, 0, 0, 0};
  r.batch.values = {1, 1, 1, 1};
  const Tensor logits = Tensor::of<float>({4, 1}, std::vector<float>{1, 2, 3, 4});
  EXPECT_TRUE(std::isnan(r.head().metrics(r.head().scores(logits, r.batch)).at("pearson")));
}

TEST(RegressionHead, ReadsNumbersAndAnswersWithThem) {
  OfFour one("regression", {"score"}), two("regression", {"x", "y"});
  EXPECT_EQ(one.head().read_label("-1.5e1").values, std::vector<float>{-15});
  EXPECT_EQ(one.head().read_label("3").number, 0);
  EXPECT_EQ(two.head().read_label("0.5, 2").values, (std::vector<float>{0.5, 2}));
  EXPECT_EQ(two.head().read_label("1 2").values, (std::vector<float>{1, 2}));
  for (const char* text : {"good", "1e99", "nan", "inf", "0x1", "1.5 stars"})
    expect_in(error_of([&] { one.head().read_label(text); }), "is not a number; expected 1 number, for a regression");
  for (const char* text : {"", "1 2 3"})
    expect_in(error_of([&] { two.head().read_label(text); }), "numbers; expected 2, for a regression");
  expect_in(error_of([&] { two.head().read_label("1,"); }), "label '1,'");
  const Answer answer = two.head().answer(Tensor::of<float>({1, 2}, std::vector<float>{0.25, -3}));
  EXPECT_EQ(answer.label, "0.2500, -3.0000");
  EXPECT_EQ(answer.values, (std::vector<double>{0.25, -3}));
  EXPECT_TRUE(answer.probabilities.empty());
}

TEST(MultiLabelHead, LossAndMetricsAreOfTheLabelled) {
  OfFour m("multi-label", {"joy", "anger"});
  m.batch.values = {1, 0, 1, 1, 0, 0, 0, 0};
  const Tensor logits = Tensor::of<float>({4, 2}, std::vector<float>{2, -1, -1, 3, 9, 9, 1, -2});
  const auto loss = [](double x, double t) { return std::log(1 + std::exp(x)) - t * x; };
  const double sum = loss(2, 1) + loss(-1, 0) + loss(-1, 1) + loss(3, 1) + loss(1, 0) + loss(-2, 0);
  EXPECT_NEAR(value_of(m.head().loss({logits}, m.batch, 3)), sum / 6, 1e-6);
  const Metrics metrics = m.head().metrics(m.head().scores(logits, m.batch));
  EXPECT_NEAR(metrics.loss, sum / 6, 1e-6);
  EXPECT_NEAR(metrics.best(), 2.0 * 2 / (2 * 2 + 1 + 1), 1e-9) << "two hits, one false alarm, one miss";
  EXPECT_NEAR(metrics.values[1].value, 4.0 / 6, 1e-9);
  EXPECT_NEAR(metrics.values[2].value, 1.0 / 3, 1e-9);
  EXPECT_NEAR(value_of(m.head().soft_loss({logits}, logits, 3, 4)), 0, 1e-6) << "both agree";
  m.model.head().set_loss({.weights = {3, 1}});
  EXPECT_NEAR(value_of(m.head().loss({logits}, m.batch, 3)), (sum + 2 * loss(2, 1) + 2 * loss(-1, 1)) / 6, 1e-6)
      << "what has the first class weighs three times as much there";
  EXPECT_NEAR(m.head().metrics(m.head().scores(logits, m.batch)).loss, sum / 6, 1e-6);
  m.batch.labels = {-1, -1, -1, -1};
  EXPECT_EQ(value_of(m.head().loss({logits}, m.batch, 0)), 0);
}

TEST(MultiLabelHead, LossIsFiniteForAnyLogit) {
  OfFour m("multi-label", {"joy", "anger"});
  m.batch.labels = {0, 0, 0, 0};
  m.batch.values = {1, 0, 1, 1, 0, 0, 0, 0};
  const Tensor far = Tensor::of<float>({4, 2}, std::vector<float>{-2000, 2000, 0, 0, 0, 0, 0, 0});
  const double expected = (4000 + 6 * std::log(2.0)) / 8;
  EXPECT_NEAR(value_of(m.head().loss({far}, m.batch, 4)), expected, 1e-3);
  EXPECT_NEAR(m.head().metrics(m.head().scores(far, m.batch)).loss, expected, 1e-9);
}

TEST(MultiLabelHead, ReadsNamesAndBits) {
  OfFour m("multi-label", {"joy", "great anger", "fear"});
  using Values = std::vector<float>;
  EXPECT_EQ(m.head().read_label("joy").values, (Values{1, 0, 0}));
  EXPECT_EQ(m.head().read_label("great anger").values, (Values{0, 1, 0}));
  EXPECT_EQ(m.head().read_label("fear, great anger").values, (Values{0, 1, 1}));
  EXPECT_EQ(m.head().read_label("joy fear").values, (Values{1, 0, 1}));
  EXPECT_EQ(m.head().read_label("0 1 1").values, (Values{0, 1, 1}));
  EXPECT_EQ(m.head().read_label("1,0,0").values, (Values{1, 0, 0}));
  EXPECT_EQ(m.head().read_label("").values, (Values{0, 0, 0}));
  for (const char* text : {"sorrow", "joy,sorrow", "1 0", "0 1 2", "joy,"})
    expect_in(error_of([&] { m.head().read_label(text); }), "expected some of 'joy', 'great anger', 'fear'");
}

TEST(MultiLabelHead, AnswersWithEachProbability) {
  OfFour m("multi-label", {"joy", "anger"});
  const Answer answer = m.head().answer(Tensor::of<float>({1, 2}, std::vector<float>{2, -1}));
  EXPECT_EQ(answer.label, "joy");
  EXPECT_EQ(answer.chosen, std::vector<std::string>{"joy"});
  EXPECT_NEAR(answer.probabilities[0], 1 / (1 + std::exp(-2.0)), 1e-9);
  EXPECT_NEAR(answer.probabilities[1], 1 / (1 + std::exp(1.0)), 1e-9);
  const Answer none = m.head().answer(Tensor::of<float>({1, 2}, std::vector<float>{-2, -1}));
  EXPECT_EQ(none.label, "");
  EXPECT_TRUE(none.chosen && none.chosen->empty());
}

}  // namespace
}  // namespace espalier
