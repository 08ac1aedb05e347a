// SPDX-License-Identifier: Apache-2.0
#include "apps/training/task_options.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "core/check.h"
#include "core/format.h"
#include "core/quoted.h"

namespace espalier {
namespace {

// How often each class is the label, or one of the labels, of a sentence; and how many sentences have labels.
struct LabelCounts {
  std::vector<double> of_class;
  double labelled = 0;
};

LabelCounts counts_of(const TokenizedDataset& data, size_t classes) {
  LabelCounts counts{.of_class = std::vector<double>(classes)};
  const auto width = static_cast<size_t>(data.values_per_sentence());
  for (size_t i = 0; i < data.labels.size(); ++i) {
    if (data.labels[i] < 0) continue;
    ++counts.labelled;
    if (width == 0) ++counts.of_class[static_cast<size_t>(data.labels[i])];
    for (size_t c = 0; c < width; ++c) counts.of_class[c] += data.values[i * width + c] > 0 ? 1 : 0;
  }
  return counts;
}

// One class for each sentence: n / (C n_c) over the C classes that occur. Any number of classes: the sentences without
// the class for each one with it. A class that does not occur keeps 1.
std::vector<double> balanced_weights(const TokenizedDataset& data, const std::vector<std::string>& classes) {
  const LabelCounts counts = counts_of(data, classes.size());
  const auto occurring = static_cast<double>(std::ranges::count_if(counts.of_class, [](double n) { return n > 0; }));
  const bool one_each = data.values_per_sentence() == 0;
  CHECK(!one_each || occurring > 1, "--class-weights balanced: the training sentences have ", occurring,
        " of the classes; expected at least two: give more data, or leave the option out");
  std::vector<double> weights(classes.size(), 1.0);
  for (size_t c = 0; c < classes.size(); ++c) {
    const double n = counts.of_class[c];
    if (n == 0) continue;
    CHECK(one_each || n < counts.labelled, "--class-weights balanced: all ", counts.labelled,
          " training sentences have ", quoted(classes[c]), "; expected some without it: give the weights as numbers");
    weights[c] = one_each ? counts.labelled / (occurring * n) : (counts.labelled - n) / n;
  }
  return weights;
}

// Metrics of answers that vary from sentence to sentence, whatever the text says.
Metrics metrics_of_varied_answers(const Head& head, const TokenizedDataset& dev) {
  PackedBatch batch;
  batch.labels.assign(dev.labels.begin(), dev.labels.end());
  batch.values.assign(dev.values.begin(), dev.values.end());
  batch.offsets.resize(static_cast<size_t>(dev.sentences()) + 1);
  Tensor logits({dev.sentences(), head.width()}, DType::f32);
  for (int64_t i = 0; i < logits.size(); ++i) logits.data<float>()[i] = static_cast<float>(i * 7919 % 1009) / 1009;
  return head.metrics(head.scores(logits, batch));
}

}  // namespace

void TaskOptions::declare(Options& rows) {
  rows.add("class-weights", class_weights,
           "weight of each class in the training loss: numbers in the order of the labels, or balanced: n / (C n_c) "
           "for n sentences, n_c of them of class c, and C classes. The loss of a step is the sum of its sentences' "
           "weighted losses, divided by the sum of their weights. With any number of labels a sentence, the weight is "
           "of a label that is there against one that is not; balanced: (n - n_c) / n_c")
      .no_default();
  rows.add("label-smoothing", label_smoothing,
           "share of the target that goes to all classes alike, in the training loss (Szegedy et al. 2016)")
      .range([this] { return label_smoothing >= 0 && label_smoothing < 1; }, "a share from 0 to below 1 is expected");
  rows.add("focal-gamma", focal_gamma,
           "focal loss (Lin et al. 2017): the training loss of a class with probability p times (1 - p)^gamma; 0: off")
      .between(0, 100, "a number from 0 to 100 is expected");
  rows.add("metric", metric,
           "which metric on the dev data chooses the best checkpoint: loss, accuracy, macro_f1, matthews, roc_auc, "
           "pearson, … as the task has them; default: accuracy, f1 for any number of labels, the squared error for "
           "numbers")
      .no_default()
      .because("which checkpoint is the best depends on it");
}

void TaskOptions::set_loss(Head& head, const TokenizedDataset& train, const Listener& listener) const {
  const std::vector<std::string>& classes = head.labels();
  ops::ClassLoss loss{class_weights.values, label_smoothing, focal_gamma};
  if (class_weights.balanced) loss.weights.assign(classes.size(), 1);
  head.set_loss(loss);
  CHECK(loss.weights.empty() || loss.weights.size() == classes.size(), "--class-weights: ", loss.weights.size(),
        " weights for the classes ", quoted(classes), "; expected ", classes.size());
  if (class_weights.balanced)
    head.set_loss({loss.weights = balanced_weights(train, classes), label_smoothing, focal_gamma});
  std::vector<std::string> parts;
  for (size_t c = 0; c < loss.weights.size(); ++c)
    parts.push_back((c == 0 ? "class weights " : "") + classes[c] + format(" %.4g", loss.weights[c]));
  if (label_smoothing > 0) parts.push_back(format("label smoothing %g", label_smoothing));
  if (focal_gamma > 0) parts.push_back(format("focal gamma %g", focal_gamma));
  if (!parts.empty()) listener.say("training loss: " + listed(parts, 30) + "; the dev loss has none of these");
}

Metric TaskOptions::chosen_metric(const Head& head, const TokenizedDataset& dev) const {
  const std::vector<Metric> known = head.known_metrics();
  const std::string wanted = metric.empty() ? head.metric() : metric;
  const auto found = std::ranges::find(known, wanted, &Metric::name);
  std::vector<std::string> names;
  names.reserve(known.size());
  for (const Metric& each : known) names.push_back(each.name);
  CHECK(found != known.end(), "--metric ", wanted, ": this task has no such metric; choose ", words_of(names));
  if (!metric.empty() && head.width() > 0 && dev.sentences() > 0)
    CHECK(!std::isnan(metrics_of_varied_answers(head, dev).at(wanted)), "--metric ", wanted,
          ": is not defined for the dev sentences, whose labels are all the same; choose another, or give more data");
  return *found;
}

bool OptionValue<ClassWeights>::read(const std::string& text, ClassWeights& value) {
  value = {.balanced = text == "balanced"};
  for (size_t begin = 0; !value.balanced && begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    double& weight = value.values.emplace_back();
    if (!OptionValue<double>::read(text.substr(begin, end - begin), weight) || !(weight >= 0) || !(weight < 1e30))
      return false;
    begin = end + 1;
  }
  return value.balanced || std::ranges::any_of(value.values, [](double weight) { return weight > 0; });
}

std::ostream& operator<<(std::ostream& out, const ClassWeights& value) {
  return out << (value.balanced ? "balanced" : option_text(value.values));
}
Record option_record(const ClassWeights& value) {
  return value.balanced ? Record("balanced") : option_record(value.values);
}

}  // namespace espalier
