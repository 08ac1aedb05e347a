// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/page.h"

#include <array>

#include "apps/reporting/markup.h"
#include "apps/reporting/page_parts.h"
#include "apps/reporting/page_style.h"
#include "core/format.h"

namespace espalier {
namespace {

std::string section(const std::string& id, const std::string& title, const std::string& content) {
  return content.empty() ? "" : "<section id=\"" + id + "\">\n<h2>" + title + "</h2>\n" + content + "</section>\n";
}

std::string notes(const ModelFigures& first, const ReportContext& context) {
  const std::string tests =
      first.answers.empty() || first.answers.front().probabilities.empty()
          ? ""
          : " p is of McNemar's exact test on the sentences that only one of both models answers rightly.";
  return "<ul>\n<li>The interval of " + escaped(first.metric) + " is of 95 % (" + escaped(first.interval_method) +
         "). That of a difference is of the paired bootstrap, 1000 resamples." + tests +
         "</li>\n<li>Speeds leave tokenizing out. Run time, samples/s and steps/s are medians of the rounds, with "
         "batches of " +
         std::to_string(context.batch_size) +
         ", sorted by length. One by one and the percentiles are of every sentence alone, in all rounds.</li>\n<li>"
         "Preparation is the time from the file to a model that answers. Start and peak memory are of a process of "
         "predict up to its first answer (VmHWM of the system), medians.</li>\n<li>Work is multiplications and "
         "additions "
         "a token, in sentences of " +
         std::to_string(report_length) +
         " tokens; what is computed leaves out the zeros that products skip. Bits are those of the numbers in the "
         "file.</li>\n</ul>\n";
}

}  // namespace

std::string html_page(const Models& models, const ReportContext& context) {
  const std::string title =
      models.size() == 1 ? "Report on " + models.front().name : format("Comparison of %zu models", models.size());
  const std::vector<std::array<std::string, 3>> sections = {
      {"figures", "Figures",
       figures_table(models, Column::quality, "Quality") + figures_table(models, Column::size, "Size") +
           figures_table(models, Column::speed, "Speed")},
      {"trade", "Quality over size and speed", scatter_plots(models, context)},
      {"differences", "Differences from the first model", differences_table(models)},
      {"curves", "Training", loss_curves(context)},
      {"layers", "Layers", sparsity_table(models) + weight_histograms(models)},
      {"confusion", "Answers and labels", confusion_tables(models) + number_plots(models)},
      {"disagreements", "Sentences on which models disagree", disagreement_table(models, context)},
      {"notes", "How it was measured", notes(models.front(), context)}};
  std::string links, body;
  for (const auto& [id, name, content] : sections) {
    if (!content.empty()) links += "<li><a href=\"#" + id + "\">" + name + "</a></li>";
    body += section(id, name, content);
  }
  return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/>\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
         "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
         "script-src 'unsafe-inline'\"/>\n<title>" +
         escaped(title) + "</title>\n<style>" + page_style + "</style></head>\n<body>\n<header>\n<h1>" +
         isolated(title) + "</h1>\n<p class=\"soft\">" + escaped(context.about) +
         "</p>\n<nav aria-label=\"Sections\"><ul>" + links + "</ul></nav>\n</header>\n<main>\n" + body +
         "</main>\n<script>" + page_script + "</script>\n</body></html>\n";
}

}  // namespace espalier
