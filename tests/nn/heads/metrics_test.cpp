// SPDX-License-Identifier: Apache-2.0
// Metrics and class reports of the heads against scikit-learn and scipy (tests/golden/metrics.py).
#include "nn/heads/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "nn/bert.h"
#include "tests/golden/golden.h"
#include "tests/nn/golden_values.h"

namespace espalier {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

const golden::File& file() {
  static const golden::File golden("metrics.txt");
  return golden;
}

// A head of the golden model with so many labels.
struct OfLabels {
  OfLabels(const std::string& head, int64_t labels) : model(store, config(head, labels)) {}
  static BertConfig config(const std::string& head, int64_t labels) {
    BertConfig config = golden_config();
    config.head = head;
    config.labels.clear();
    for (int64_t c = 0; c < labels; ++c) config.labels.push_back("class" + std::to_string(c));
    return config;
  }
  const Head& head() const { return model.head(); }
  ParameterStore store;
  Bert model;
};

PackedBatch sentences(int64_t count) {
  PackedBatch batch;
  for (int64_t i = 0; i <= count; ++i) batch.offsets.push_back(static_cast<int32_t>(i));
  batch.labels.assign(static_cast<size_t>(count), 0);
  return batch;
}

double share(const Tensor& uniform, int64_t i) { return std::abs(uniform.data<double>()[i]) / 2; }

// Of a report with confusion matrix or without; undefined values are -1 in the file.
void expect_report(const std::string& name, const ClassReport& report) {
  for (const auto* rows : {&report.classes, &report.averages})
    for (const ClassReport::Row& row : *rows) {
      const std::vector<double>& wanted = file().at(name + "/" + row.name);
      ASSERT_EQ(row.values.size(), wanted.size()) << name;
      for (size_t i = 0; i < wanted.size(); ++i)
        if (wanted[i] == -1)
          EXPECT_TRUE(std::isnan(row.values[i])) << name << " " << row.name << " " << report.columns[i];
        else
          EXPECT_NEAR(row.values[i], wanted[i], 1e-12) << name << " " << row.name << " " << report.columns[i];
    }
  std::vector<double> counts;
  for (const auto& row : report.confusion) counts.insert(counts.end(), row.begin(), row.end());
  EXPECT_TRUE(counts.empty() || counts == file().at(name + "/confusion")) << name;
}

// Every metric that the head names is as in the file, or neither here nor there. Losses and probabilities come from f32
// differences of logits; all others are counted, or ranked.
void expect_metrics(const std::string& name, const Head& head, const Metrics& metrics) {
  EXPECT_EQ(metrics.values.front().name, head.metric());
  for (const Metrics::Value& value : metrics.values)
    EXPECT_NE(std::ranges::count(head.known_metrics(), value.name, &Metric::name), 0) << value.name;
  for (const Metric& metric : head.known_metrics()) {
    const double found = metrics.at(metric.name);
    if (std::isnan(found))
      EXPECT_FALSE(file().has(name + "/" + metric.name)) << name << " " << metric.name;
    else
      EXPECT_NEAR(found, file().at(name + "/" + metric.name).front(),
                  metric.name == "loss" || metric.name == "calibration_error" ? 1e-7 : 1e-12)
          << name << " " << metric.name;
  }
}

struct Case {
  std::string name;
  int64_t count, classes;
  std::function<int32_t(double)> label;  // of a share from 0 to below 1
  std::function<double(double, int64_t)> logit = [](double x, int64_t) { return x; };
};

TEST(Metrics, OfClassesAreThoseOfScikitLearn) {
  const auto of = [](int32_t classes) { return [classes](double x) { return static_cast<int32_t>(x * classes); }; };
  const std::vector<double> same = {0.25, 1, -1};
  for (const Case& c :
       std::vector<Case>{{"two", 60, 2, of(2)},
                         {"five_skewed", 200, 5, [](double x) { return static_cast<int32_t>(x * x * x * 5); }},
                         {"label_missing", 50, 4, of(3)},
                         {"answer_missing", 50, 3, of(3), [](double x, int64_t i) { return i == 2 ? x - 20 : x; }},
                         {"one_label", 30, 3, [](double) { return 1; }},
                         {"one_of_two", 30, 2, [](double) { return 0; }},
                         {"one_answer", 30, 3, of(3), [&](double, int64_t i) { return same[static_cast<size_t>(i)]; }},
                         {"ties", 80, 2, of(2), [](double x, int64_t) { return std::nearbyint(x); }}}) {
    const OfLabels model("classification", c.classes);
    const Tensor drawn = golden::uniform(c.name, 1, {c.count});
    Tensor logits = golden::uniform(c.name, 0, {c.count, c.classes});
    for (int64_t i = 0; i < logits.size(); ++i)
      logits.data<double>()[i] = c.logit(logits.data<double>()[i], i % c.classes);
    PackedBatch batch = sentences(c.count);
    for (int64_t i = 0; i < c.count; ++i) batch.labels[static_cast<size_t>(i)] = c.label(share(drawn, i));
    const Tensor scores = model.head().scores(logits.to(DType::f32), batch);
    expect_metrics(c.name, model.head(), model.head().metrics(scores));
    expect_report(c.name, model.head().report(scores));
  }
}

TEST(Metrics, OfSeveralLabelsAreThoseOfScikitLearn) {
  for (const auto& [name, count, limits] : std::vector<std::tuple<std::string, int64_t, std::vector<double>>>{
           {"many", 60, {0.5, 0.2, 0, 1}}, {"many_none", 10, {0, 0}}}) {
    const int64_t classes = std::ssize(limits);
    const OfLabels model("multi-label", classes);
    const Tensor drawn = golden::uniform(name, 1, {count, classes});
    PackedBatch batch = sentences(count);
    for (int64_t i = 0; i < drawn.size(); ++i)
      batch.values.push_back(share(drawn, i) < limits[static_cast<size_t>(i % classes)] ? 1 : 0);
    const Tensor scores = model.head().scores(golden::uniform(name, 0, {count, classes}, 2, DType::f32), batch);
    expect_metrics(name, model.head(), model.head().metrics(scores));
    ClassReport report = model.head().report(scores);
    EXPECT_EQ(report.averages.size(), 3U);
    report.averages.clear();
    expect_report(name, report);
  }
}

TEST(Metrics, OfNumbersAreThoseOfScikitLearnAndScipy) {
  const auto rounded = [](double x) { return std::nearbyint(x); };
  const auto drawn = [](double x) { return x; };
  const auto same = [](double) { return 0.1; };
  struct Numbers {
    std::string name;
    int64_t count, width;
    std::function<double(double)> prediction, target;
  };
  for (const Numbers& n : std::vector<Numbers>{{"number", 40, 1, drawn, drawn},
                                               {"number_ties", 40, 1, rounded, rounded},
                                               {"number_one_answer", 20, 1, same, drawn},
                                               {"number_one_label", 20, 1, drawn, same},
                                               {"numbers", 40, 2, drawn, drawn}}) {
    const OfLabels model("regression", n.width);
    Tensor predictions = golden::uniform(n.name, 0, {n.count, n.width});
    const Tensor targets = golden::uniform(n.name, 1, {n.count, n.width});
    for (double& x : predictions.span<double>()) x = n.prediction(x);
    PackedBatch batch = sentences(n.count);
    for (const double t : targets.span<double>()) batch.values.push_back(static_cast<float>(n.target(t)));
    const Tensor scores = model.head().scores(predictions.to(DType::f32), batch);
    const Metrics metrics = model.head().metrics(scores);
    expect_metrics(n.name, model.head(), metrics);
    const ClassReport report = model.head().report(scores);
    ASSERT_EQ(std::ssize(report.classes), n.width);
    EXPECT_EQ(report.classes[0].values.back(), n.count);
    if (n.width > 1) continue;
    for (size_t i = 0; i + 1 < report.columns.size(); ++i)
      if (const double found = metrics.at(report.columns[i]); std::isnan(found))
        EXPECT_TRUE(std::isnan(report.classes[0].values[i])) << n.name << " " << report.columns[i];
      else
        EXPECT_EQ(report.classes[0].values[i], found) << n.name << " " << report.columns[i];
  }
}

// Answers that are no numbers have no order: what needs one is left out, and nothing else happens.
TEST(Metrics, OfLogitsThatAreNoNumbersAreLeftOut) {
  PackedBatch batch = sentences(4);
  batch.labels = {0, 1, 1, 0};
  const auto metrics_of = [&](const std::string& task, int64_t width) {
    const OfLabels model(task, width);
    batch.values = {0, 1, 1, 0};
    return model.head().metrics(model.head().scores(
        Tensor::of<float>({4, width}, std::vector<float>(static_cast<size_t>(4 * width), static_cast<float>(nan))),
        batch));
  };
  const Metrics classes = metrics_of("classification", 2), numbers = metrics_of("regression", 1),
                labels = metrics_of("multi-label", 1);
  for (const Metrics* m : {&classes, &numbers, &labels}) {
    EXPECT_TRUE(std::isnan(m->loss));
    for (const char* name : {"roc_auc", "calibration_error", "pearson", "spearman", "r2"})
      EXPECT_TRUE(std::isnan(m->at(name))) << name;
  }
}

TEST(Metrics, KnowWhichOfTwoIsBetter) {
  const Metric high{"accuracy"}, low{"loss", true};
  EXPECT_TRUE(high.better(2, 1));
  EXPECT_FALSE(high.better(1, 1));
  EXPECT_TRUE(low.better(1, 2));
  EXPECT_FALSE(low.better(2, 1));
  for (const Metric& metric : {high, low}) {
    EXPECT_TRUE(metric.better(0, nan));
    EXPECT_FALSE(metric.better(nan, 0));
    EXPECT_FALSE(metric.better(nan, nan));
  }
  const Metrics metrics{0.5, {{"accuracy", 0.75}}};
  EXPECT_EQ(metrics.at("accuracy"), 0.75);
  EXPECT_EQ(metrics.at("loss"), 0.5);
  EXPECT_TRUE(std::isnan(metrics.at("f1")));
}

}  // namespace
}  // namespace espalier
