// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/evaluation_report.h"

#include <cmath>
#include <cstdio>

#include "apps/cli/markdown_table.h"
#include "core/format.h"
#include "core/quoted.h"

namespace espalier {
namespace {

constexpr size_t most_classes = 20;  // of a confusion matrix that is printed

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

// Without line ends, and what else would break a table; long names are cut.
std::string shown_name(const std::string& name) {
  const std::string text = quoted(name);
  return text.substr(1, text.size() - 2);
}

std::string class_table(const ClassReport& report) {
  TableRows rows = {{"label"}};
  rows[0].insert(rows[0].end(), report.columns.begin(), report.columns.end());
  const auto add = [&](const std::string& name, const std::vector<double>& values) {
    rows.push_back({name});
    for (size_t i = 0; i + 1 < values.size(); ++i)
      rows.back().push_back(std::isnan(values[i]) ? "-" : format("%.4f", values[i]));
    rows.back().push_back(format("%.0f", values.back()));
  };
  for (const auto& [name, values] : report.classes) add(shown_name(name), values);
  for (const auto& [name, values] : report.averages) add(name + " average", values);
  return markdown_table(rows);
}

std::string confusion_table(const ClassReport& report) {
  TableRows rows = {{"label \\ answer"}};
  for (const ClassReport::Row& row : report.classes) rows[0].push_back(shown_name(row.name));
  for (size_t c = 0; c < report.confusion.size(); ++c) {
    rows.push_back({rows[0][c + 1]});
    for (const int64_t count : report.confusion[c]) rows.back().push_back(std::to_string(count));
  }
  return markdown_table(rows);
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
  std::printf("\n%s", class_table(report).c_str());
  if (report.confusion.size() > most_classes)
    std::printf("\nThe confusion matrix of %zu classes is in what --json prints.\n", report.confusion.size());
  else if (!report.confusion.empty())
    std::printf("\n%s", confusion_table(report).c_str());
}

}  // namespace espalier
