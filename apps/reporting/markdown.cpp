// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "apps/reporting/columns.h"
#include "apps/reporting/comparison.h"
#include "apps/reporting/markup.h"
#include "apps/reporting/page.h"
#include "apps/reporting/written.h"
#include "core/format.h"

namespace espalier {
namespace {

std::string row(const std::vector<std::string>& cells) {
  std::string text = "|";
  for (const std::string& cell : cells) text += " " + markdown_escaped(cell) + " |";
  return text + "\n";
}

std::string table(const std::vector<std::string>& head, const std::string& rows) {
  std::string text = row(head) + "|---|";
  for (size_t i = 1; i < head.size(); ++i) text += "---:|";
  return text + "\n" + rows + "\n";
}

std::string figures(const Models& models, Column::Group group) {
  const auto columns = columns_of(models);
  std::vector<std::string> head = {"model"};
  std::string rows;
  for (const Column& c : columns)
    if (c.group == group) head.push_back(c.title);
  for (const ModelFigures& m : models) {
    std::vector<std::string> cells = {m.name};
    for (const Column& c : columns)
      if (c.group == group) cells.push_back(c.text(m));
    rows += row(cells);
  }
  return table(head, rows);
}

std::string differences(const Models& models) {
  const auto columns = difference_columns(models.front());
  std::vector<std::string> head = {"model"};
  std::string rows;
  for (const DifferenceColumn& c : columns) head.push_back(c.title);
  for (size_t i = 1; i < models.size(); ++i) {
    std::vector<std::string> cells = {models[i].name};
    for (const DifferenceColumn& c : columns) cells.push_back(c.text(models[i], models.front()));
    rows += row(cells);
  }
  return table(head, rows);
}

std::string sentences(const Models& models, const ReportContext& context) {
  const auto all = disagreements(models);
  std::vector<std::string> head = {"sentence", "label"};
  for (const ModelFigures& m : models) head.push_back(m.name);
  std::string rows;
  for (size_t k = 0; k < std::min(all.size(), most_sentences); ++k) {
    const auto i = static_cast<size_t>(all[k].sentence);
    std::vector<std::string> cells = {context.sentences[i], models.front().wanted[i]};
    for (const ModelFigures& m : models) {
      const Answer& a = m.answers[i];
      cells.push_back(a.label + (std::isnan(a.probability) ? "" : format(" %.2f", a.probability)));
    }
    rows += row(cells);
  }
  return format("%zu of %zu sentences are not answered alike by all models.\n\n", all.size(),
                context.sentences.size()) +
         (all.empty() ? "" : table(head, rows));
}

}  // namespace

std::string markdown(const Models& models, const ReportContext& context) {
  std::string text = "# Comparison of models\n\n" + markdown_escaped(context.about) + "\n\n## Quality\n\n" +
                     figures(models, Column::quality) + "## Size\n\n" + figures(models, Column::size) + "## Speed\n\n" +
                     figures(models, Column::speed);
  if (models.size() < 2) return text;
  text += "## Differences from " + markdown_escaped(models.front().name) + "\n\n" + differences(models);
  if (!models.front().answers.empty()) text += "## Sentences on which models disagree\n\n" + sentences(models, context);
  return text;
}

}  // namespace espalier
