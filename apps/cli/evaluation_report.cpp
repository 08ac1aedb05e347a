// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/evaluation_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/format.h"
#include "core/quoted.h"

namespace espalier {
namespace {

constexpr size_t most_classes = 20;  // of a confusion matrix that is printed
constexpr size_t widest_name = 24;

Record figures_of(const Evaluation& evaluation, const Head& head, double preparation_seconds) {
  Record figures = evaluation.to_record();
  figures.set("model_preparation_time", preparation_seconds);
  if (!evaluation.labelled) return figures;
  for (const Metric& metric : head.known_metrics())
    if (metric.name != "loss" && std::isnan(evaluation.metrics.at(metric.name)))
      figures.set("eval_" + metric.name, nullptr);
  return figures;
}

Record defined(double value) { return std::isnan(value) ? Record(nullptr) : Record(value); }

Record table_of(const std::vector<std::string>& columns, const std::vector<ClassReport::Row>& rows) {
  Record table;
  for (const ClassReport::Row& row : rows) {
    Record values;
    for (size_t i = 0; i + 1 < columns.size(); ++i) values.set(columns[i], defined(row.values[i]));
    values.set(columns.back(), static_cast<int64_t>(row.values.back()));
    table.set(row.name, values);
  }
  return table;
}

// Names may have any characters: those that would break the table, or all that follows, are replaced.
std::string shown_name(const std::string& name) {
  const std::string text = quoted(name);
  return shortened(text.substr(1, text.size() - 2), widest_name);
}

void print_row(const std::string& name, const std::vector<double>& values) {
  std::printf("%-26s", shown_name(name).c_str());
  for (size_t i = 0; i + 1 < values.size(); ++i)
    std::printf(" %10s", std::isnan(values[i]) ? "-" : format("%.4f", values[i]).c_str());
  std::printf(" %10.0f\n", values.back());
}

void print_table(const ClassReport& report) {
  std::printf("\n%-26s", "");
  for (const std::string& column : report.columns) std::printf(" %10s", column.c_str());
  std::printf("\n");
  for (const ClassReport::Row& row : report.classes) print_row(row.name, row.values);
  for (const ClassReport::Row& row : report.averages) print_row(row.name, row.values);
}

void print_confusion(const ClassReport& report) {
  int width = 6;
  for (const ClassReport::Row& row : report.classes)
    width = std::max(width, static_cast<int>(std::min<size_t>(12, shown_name(row.name).size())));
  std::printf("\n%-26s", "label \\ answer");
  for (const ClassReport::Row& row : report.classes) std::printf(" %*s", width, shortened(row.name, 12).c_str());
  std::printf("\n");
  for (size_t c = 0; c < report.confusion.size(); ++c) {
    std::printf("%-26s", shown_name(report.classes[c].name).c_str());
    for (const int64_t count : report.confusion[c]) std::printf(" %*ld", width, count);
    std::printf("\n");
  }
}

}  // namespace

Record to_json(const Evaluation& evaluation, const Head& head, double preparation_seconds) {
  Record json = figures_of(evaluation, head, preparation_seconds);
  const ClassReport report = evaluation.labelled ? head.report(evaluation.scores) : ClassReport{};
  if (report.classes.empty()) return json;
  json.set("labels", head.labels());
  json.set("classes", table_of(report.columns, report.classes));
  if (!report.averages.empty()) json.set("averages", table_of(report.columns, report.averages));
  if (!report.confusion.empty()) json.set("confusion_matrix", report.confusion);
  return json;
}

void print(const Evaluation& evaluation, const Head& head, double preparation_seconds) {
  const Record figures = figures_of(evaluation, head, preparation_seconds);
  for (const std::string& name : figures.names())
    if (const Record value = figures.at(name); value == Record(nullptr))
      std::printf("%-26s not defined: the labels, or the answers, are all the same\n", name.c_str());
    else
      std::printf("%-26s %.4f\n", name.c_str(), value.number());
  const ClassReport report = evaluation.labelled ? head.report(evaluation.scores) : ClassReport{};
  if (report.classes.empty()) return;
  print_table(report);
  if (report.confusion.empty()) return;
  if (report.confusion.size() <= most_classes)
    print_confusion(report);
  else
    std::printf("\nThe confusion matrix of %zu classes is in what --json prints.\n", report.confusion.size());
}

}  // namespace espalier
