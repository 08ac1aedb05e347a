// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/comparison.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>

#include "core/format.h"

namespace espalier {
namespace {

// Accuracy in percent, other metrics as they are.
double quality_shown(const ComparedModel& m) { return m.metric == "accuracy" ? 100 * m.quality : m.quality; }

std::string quality_text(const ComparedModel& m) {
  return format(m.metric == "accuracy" ? "%.2f" : "%.4f", quality_shown(m));
}

struct Column {
  const char* title;
  std::function<std::string(const ComparedModel&)> text;
};

const std::vector<Column>& columns() {
  static const std::vector<Column> all = {
      {"model", [](const ComparedModel& m) { return m.name; }},
      {nullptr, quality_text},  // its title is the metric
      {"loss", [](const ComparedModel& m) { return format("%.4f", m.loss); }},
      {"size", [](const ComparedModel& m) { return in_megabytes(m.bytes); }},
      {"parameters", [](const ComparedModel& m) { return format("%.2f M", static_cast<double>(m.parameters) * 1e-6); }},
      {"zeros", [](const ComparedModel& m) { return format("%.1f %%", 100 * m.sparsity); }},
      {"bits", [](const ComparedModel& m) { return m.bits; }},
      {"MFLOP/token", [](const ComparedModel& m) { return format("%.2f", m.flop * 1e-6); }},
      {"preparation s", [](const ComparedModel& m) { return format("%.3f", m.preparation); }},
      {"run time s", [](const ComparedModel& m) { return format("%.2f", m.runtime); }},
      {"samples/s", [](const ComparedModel& m) { return format("%.0f", m.many); }},
      {"steps/s", [](const ComparedModel& m) { return format("%.1f", m.batches); }},
      {"one by one/s", [](const ComparedModel& m) { return format("%.0f", m.one); }},
  };
  return all;
}

std::string title_of(const Column& c, const std::vector<ComparedModel>& models) {
  return c.title != nullptr ? c.title : models.front().metric;
}

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return safe;
}

// A scatter plot of the metric over x, which is drawn on a logarithmic axis; `less` means that a small x is good.
std::string plot(const std::vector<ComparedModel>& models, const std::vector<double>& x, const std::string& title,
                 bool less) {
  constexpr double width = 640, height = 380, left = 60, right = 170, top = 30, bottom = 45;
  std::vector<double> y, good;
  for (size_t i = 0; i < models.size(); ++i) {
    y.push_back(quality_shown(models[i]));
    good.push_back(less ? -x[i] : x[i]);
  }
  const auto [x_low, x_high] = std::ranges::minmax(x);
  const auto [y_low, y_high] = std::ranges::minmax(y);
  const double from = std::log(x_low) - 0.1, to = std::log(x_high) + 0.1,
               room = models.front().metric == "accuracy" ? 0.5 : 0.05 * (y_high - y_low) + 1e-3, floor = y_low - room,
               ceiling = y_high + room;
  const auto at_x = [&](double v) { return left + (std::log(v) - from) / (to - from) * (width - left - right); };
  const auto at_y = [&](double v) {
    return height - bottom - (v - floor) / (ceiling - floor) * (height - top - bottom);
  };
  std::string svg = format("<svg viewBox=\"0 0 %g %g\" width=\"%g\"><text x=\"%g\" y=\"18\">%s over %s</text>", width,
                           height, width, left, models.front().metric.c_str(), title.c_str());
  svg += format("<path d=\"M%g %gV%gH%g\" class=\"axis\"/>", left, top, height - bottom, width - right);
  for (int i = 0; i <= 4; ++i) {
    const double v = floor + (ceiling - floor) * i / 4, u = std::exp(from + (to - from) * i / 4);
    svg += format("<text x=\"%g\" y=\"%.1f\" class=\"tick\" text-anchor=\"end\">%.4g</text>", left - 6, at_y(v) + 4, v);
    svg += format("<text x=\"%.1f\" y=\"%g\" class=\"tick\" text-anchor=\"middle\">%.3g</text>", at_x(u),
                  height - bottom + 18, u);
  }
  std::vector<size_t> front = pareto_front(good, y);
  std::ranges::sort(front, {}, [&](size_t i) { return x[i]; });
  std::string line;
  for (const size_t i : front) line += format("%s%.1f %.1f", line.empty() ? "M" : "L", at_x(x[i]), at_y(y[i]));
  svg += "<path d=\"" + line + "\" class=\"front\"/>";
  for (size_t i = 0; i < models.size(); ++i) {
    svg += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", at_x(x[i]), at_y(y[i]));
    svg += format("<text x=\"%.1f\" y=\"%.1f\" class=\"name\">", at_x(x[i]) + 7, at_y(y[i]) + 4) +
           escaped(models[i].name) + "</text>";
  }
  return svg + "</svg>\n";
}

}  // namespace

Record to_json(const ComparedModel& m) {
  return {{"model", m.name},
          {"eval_" + m.metric, m.quality},
          {"eval_loss", m.loss},
          {"model_preparation_time", m.preparation},
          {"eval_runtime", m.runtime},
          {"eval_samples_per_second", m.many},
          {"eval_steps_per_second", m.batches},
          {"sentences_per_second_one_by_one", m.one},
          {"file_bytes", m.bytes},
          {"parameters", m.parameters},
          {"sparsity", m.sparsity},
          {"bits", m.bits},
          {"flop_per_token", m.flop}};
}

void print_comparison(const std::vector<ComparedModel>& models) {
  std::vector<size_t> widths;
  for (const Column& c : columns()) {
    widths.push_back(title_of(c, models).size());
    for (const ComparedModel& m : models) widths.back() = std::max(widths.back(), c.text(m).size());
  }
  const auto print = [&](const std::function<std::string(const Column&)>& text) {
    for (size_t i = 0; i < widths.size(); ++i)
      std::printf(i == 0 ? "%-*s" : "  %*s", static_cast<int>(widths[i]), text(columns()[i]).c_str());
    std::printf("\n");
  };
  print([&](const Column& c) { return title_of(c, models); });
  for (const ComparedModel& m : models) print([&](const Column& c) { return c.text(m); });
}

std::vector<size_t> pareto_front(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<size_t> front;
  for (size_t i = 0; i < a.size(); ++i) {
    bool beaten = false;
    for (size_t j = 0; j < a.size(); ++j) beaten |= a[j] >= a[i] && b[j] >= b[i] && (a[j] > a[i] || b[j] > b[i]);
    if (!beaten) front.push_back(i);
  }
  return front;
}

std::string comparison_page(const std::vector<ComparedModel>& models, const std::string& about, int64_t batch_size) {
  std::string page =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Espalier: comparison</title>\n<style>"
      "body{font:15px sans-serif;margin:2em;color:#222}table{border-collapse:collapse}td,th{padding:.3em .7em;"
      "border-bottom:1px solid #ccc;text-align:right}td:first-child,th:first-child{text-align:left}"
      ".axis{fill:none;stroke:#888}.front{fill:none;stroke:#2a7}.tick,.name{font-size:12px}.tick{fill:#666}"
      "circle{fill:#258}</style></head><body>\n<h1>Comparison</h1>\n<p>" +
      escaped(about) + "</p>\n<table>\n<tr>";
  for (const Column& c : columns()) page += "<th>" + title_of(c, models) + "</th>";
  page += "</tr>\n";
  for (const ComparedModel& m : models) {
    page += "<tr>";
    for (const Column& c : columns()) page += "<td>" + escaped(c.text(m)) + "</td>";
    page += "</tr>\n";
  }
  std::vector<double> sizes, speeds;
  for (const ComparedModel& m : models) {
    sizes.push_back(static_cast<double>(m.bytes) * 1e-6);
    speeds.push_back(m.many);
  }
  return page + "</table>\n<p>The line joins the models that no other one beats.</p>\n" +
         plot(models, sizes, "size in MB", true) +
         plot(models, speeds, format("sentences a second, %ld at a time", batch_size), false) + "</body></html>\n";
}

}  // namespace espalier
