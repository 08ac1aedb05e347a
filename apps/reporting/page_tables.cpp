// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "apps/reporting/comparison.h"
#include "apps/reporting/markup.h"
#include "apps/reporting/page.h"
#include "apps/reporting/page_parts.h"
#include "core/format.h"

namespace espalier {
namespace {

std::string heading(const std::string& text) { return "<th scope=\"col\">" + isolated(text) + "</th>"; }

// A table that scrolls in its own box, with the keyboard, too.
std::string table_of(const std::string& caption, const std::string& head, const std::string& body,
                     const std::string& classes = "", const std::string& box = "") {
  return "<div class=\"scroll" + box + "\" role=\"region\" tabindex=\"0\" aria-label=\"" + escaped(caption) +
         "\"><table class=\"" + classes + "\"><caption>" + escaped(caption) + "</caption>\n<thead><tr>" + head +
         "</tr></thead>\n<tbody>\n" + body + "</tbody></table></div>\n";
}

std::string model_heading(size_t i, const ModelFigures& m) {
  return "<th scope=\"row\" data-key=\"" + std::to_string(i + 1) + "\" title=\"" + escaped(m.source) + "\">" +
         std::to_string(i + 1) + " " + isolated(m.name) + "</th>";
}

std::string confusion_table(const ModelFigures& m, const Confusion& confusion) {
  std::string head = heading("label \\ answer"), body;
  for (const std::string& name : m.classes) head += heading(name);
  for (size_t wanted = 0; wanted < m.classes.size(); ++wanted) {
    body += "<tr><th scope=\"row\">" + isolated(m.classes[wanted]) + "</th>";
    for (size_t answered = 0; answered < m.classes.size(); ++answered)
      body += std::string(wanted == answered ? "<td class=\"diagonal\">" : "<td>") +
              std::to_string(confusion.counts[wanted][answered]) + "</td>";
    body += "</tr>\n";
  }
  return table_of("Confusion of " + m.name, head, body);
}

std::string mistakes_table(const ModelFigures& m, const Confusion& confusion) {
  std::string body;
  for (const auto& [wanted, answered, count] : most_frequent_mistakes(confusion, most_classes))
    body += "<tr><th scope=\"row\">" + isolated(m.classes[wanted]) + "</th><td>" + isolated(m.classes[answered]) +
            "</td><td>" + std::to_string(count) + "</td></tr>\n";
  return table_of("Most frequent mistakes of " + m.name, heading("label") + heading("answer") + heading("sentences"),
                  body);
}

std::string counts_table(const ModelFigures& m, const std::vector<ClassCounts>& counts) {
  std::string body;
  for (const ClassCounts& c : counts)
    body += "<tr><th scope=\"row\">" + isolated(c.name) +
            format("</th><td>%ld</td><td>%ld</td><td>%ld</td><td>%ld</td></tr>\n", c.hits, c.false_alarms, c.misses,
                   c.rest);
  return table_of(
      "Decisions of " + m.name,
      heading("class") + heading("rightly chosen") + heading("wrongly") + heading("missed") + heading("rightly not"),
      body);
}

std::string answer_cell(const ModelFigures& m, size_t i) {
  const Answer& a = m.answers[i];
  const bool wrong = a.values.empty() && a.label != m.wanted[i];
  return std::string(wrong ? "<td class=\"wrong\">" : "<td>") + isolated(a.label.empty() ? "none" : a.label) +
         (std::isnan(a.probability) ? "" : format(" %.2f", a.probability)) + "</td>";
}

}  // namespace

std::string isolated(const std::string& text) { return "<bdi>" + escaped(text) + "</bdi>"; }

std::string figures_table(const Models& models, Column::Group group, const std::string& caption) {
  std::string head = heading("model"), body;
  const auto columns = columns_of(models);
  for (const Column& c : columns)
    if (c.group == group) head += heading(c.title);
  for (size_t i = 0; i < models.size(); ++i) {
    body += "<tr>" + model_heading(i, models[i]);
    for (const Column& c : columns)
      if (c.group == group)
        body += format("<td data-key=\"%.10g\">", c.key(models[i])) + escaped(c.text(models[i])) + "</td>";
    body += "</tr>\n";
  }
  return table_of(caption, head, body, "sortable");
}

std::string differences_table(const Models& models) {
  if (models.size() < 2) return "";
  const auto columns = difference_columns(models.front());
  std::string head = heading("model"), body;
  for (const DifferenceColumn& c : columns) head += heading(c.title);
  for (size_t i = 1; i < models.size(); ++i) {
    body += "<tr>" + model_heading(i, models[i]);
    for (const DifferenceColumn& c : columns) body += "<td>" + escaped(c.text(models[i], models.front())) + "</td>";
    body += "</tr>\n";
  }
  return table_of("Against " + models.front().name, head, body);
}

std::string sparsity_table(const Models& models) {
  std::vector<std::string> parts;
  for (const ModelFigures& m : models)
    for (const PartReport& p : m.parts)
      if (std::ranges::find(parts, p.part) == parts.end()) parts.push_back(p.part);
  std::string head = heading("part"), body;
  for (const ModelFigures& m : models) head += heading(m.name);
  for (const std::string& part : parts) {
    body += "<tr><th scope=\"row\">" + escaped(part) + "</th>";
    for (const ModelFigures& m : models) {
      const auto found = std::ranges::find(m.parts, part, &PartReport::part);
      body += found == m.parts.end() ? std::string("<td>none</td>")
                                     : format("<td class=\"share\" style=\"--share:%.1f%%\">%.1f %%</td>",
                                              100 * found->sparsity(), 100 * found->sparsity());
    }
    body += "</tr>\n";
  }
  return table_of("Share of zeros", head, body);
}

std::string confusion_tables(const Models& models) {
  std::string tables;
  for (const ModelFigures& m : models) {
    const Confusion confusion = confusion_of(m);
    const auto counts = class_counts_of(m);
    if (!counts.empty())
      tables += counts_table(m, counts);
    else if (confusion.counts.size() > most_classes)
      tables += mistakes_table(m, confusion);
    else if (!confusion.counts.empty())
      tables += confusion_table(m, confusion);
  }
  return tables.empty() ? "" : "<div class=\"matrices\">" + tables + "</div>\n";
}

std::string disagreement_table(const Models& models, const ReportContext& context) {
  if (models.size() < 2 || models.front().answers.empty()) return "";
  const auto all = disagreements(models);
  const size_t shown_rows = std::min(all.size(), most_sentences);
  std::string head = heading("sentence") + heading("label"), body;
  for (const ModelFigures& m : models) head += heading(m.name);
  for (size_t k = 0; k < shown_rows; ++k) {
    const auto i = static_cast<size_t>(all[k].sentence);
    body += "<tr><td class=\"words\" dir=\"auto\">" + escaped(context.sentences[i]) + "</td><td>" +
            isolated(models.front().wanted[i]) + "</td>";
    for (const ModelFigures& m : models) body += answer_cell(m, i);
    body += "</tr>\n";
  }
  const std::string count =
      format("%zu of %zu sentences are not answered alike by all models", all.size(), context.sentences.size()) +
      (shown_rows < all.size() ? format("; these are the %zu with the largest differences", shown_rows) : "");
  if (all.empty()) return "<p>" + count + ".</p>\n";
  return "<p>" + count + ". Wrong answers have a wavy line.</p>\n" +
         table_of("Sentences on which models disagree", head, body, "", " capped");
}

}  // namespace espalier
