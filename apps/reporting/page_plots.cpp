// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "apps/reporting/markup.h"
#include "apps/reporting/page_parts.h"
#include "apps/reporting/plots.h"
#include "core/format.h"

namespace espalier {
namespace {

// The drawing for wide and for narrow windows; the page shows one of them.
template <class Draw>
std::string both(const std::string& id, const Draw& draw_at) {
  return "<div class=\"wide\">" + draw_at(id, wide_plot) + "</div>\n<div class=\"narrow\">" +
         draw_at(id + "-narrow", narrow_plot) + "</div>\n";
}

std::string legend_item(size_t colour, const std::string& text) {
  return "<li class=\"" + colour_class(colour) + "\">" + text + "</li>";
}

std::string scatter(const Models& models, ScatterPlot plot, const std::string& id, const auto& x, const auto& x_range) {
  const std::string metric = models.front().metric;
  plot.y_title = metric + (metric == "accuracy" ? " in percent" : "");
  plot.title = metric + " over " + plot.x_title;
  for (const ModelFigures& m : models)
    plot.points.push_back({m.name,
                           x(m),
                           shown(metric, m.quality()),
                           x_range(m),
                           {shown(metric, m.interval.low), shown(metric, m.interval.high)}});
  return "<figure>\n<figcaption>" + escaped(plot.title) + "</figcaption>\n" +
         both(id, [&](const std::string& name, double width) { return draw(plot, name, width); }) + "</figure>\n";
}

std::string curve_figure(const ReportContext& context, Curve which, const std::string& title, const std::string& id) {
  const std::string drawing =
      both(id, [&](const std::string& name, double width) { return draw_curves(context.curves, which, name, width); });
  if (drawing.find("<svg") == std::string::npos) return "";
  return "<figure>\n<figcaption>" + title + "</figcaption>\n" + drawing + "</figure>\n";
}

}  // namespace

std::string scatter_plots(const Models& models, const ReportContext& context) {
  const auto megabytes = [](const ModelFigures& m) { return 1e-6 * static_cast<double>(m.bytes); };
  const auto speed = [](const ModelFigures& m) { return m.sentences_per_second(); };
  std::string figures;
  if (std::ranges::all_of(models, [](const ModelFigures& m) { return m.bytes > 0; }))  // random:SIZE has no file
    figures += scatter(models, {.x_title = "size of the file in MB", .less_is_better = true}, "over-size", megabytes,
                       [&](const ModelFigures& m) {
                         return Interval{megabytes(m), megabytes(m)};
                       });
  figures += scatter(models, {.x_title = format("sentences a second, %ld at a time", context.batch_size)}, "over-speed",
                     speed, [](const ModelFigures& m) {
                       const auto n = static_cast<double>(m.sentences);
                       return Interval{n / m.seconds_many.back(), n / m.seconds_many.front()};
                     });
  std::string items;
  for (size_t i = 0; i < models.size(); ++i)
    items += legend_item(i, std::to_string(i + 1) + " " + isolated(models[i].name));
  return "<p>The dashed line joins the models that no other one beats. Upright bars are the 95 % interval, level ones "
         "the slowest and the fastest round.</p>\n<div class=\"figures\">" +
         figures + "</div>\n<ul class=\"legend\">" + items + "</ul>\n";
}

std::string loss_curves(const ReportContext& context) {
  if (context.curves.empty()) return "";
  const std::string figures =
      curve_figure(context, Curve::training, "Training loss, means of consecutive steps", "training-loss") +
      curve_figure(context, Curve::evaluation, "Loss of the evaluations on dev.tsv", "evaluation-loss");
  std::string items;
  for (const TrainingCurves& c : context.curves) items += legend_item(c.colour, isolated(c.name));
  return "<p>A loss has the terms of its run: distillation adds its own, so that only curves of one kind compare.</p>\n"
         "<div class=\"figures\">" +
         figures + "</div>\n<ul class=\"legend\">" + items + "</ul>\n";
}

std::string weight_histograms(const Models& models) {
  std::string figures;
  for (size_t i = 0; i < models.size(); ++i)
    if (!models[i].histograms.empty())
      figures += "<figure>\n<figcaption>Weights of " + isolated(models[i].name) + "</figcaption>\n" +
                 both("weights-" + std::to_string(i + 1),
                      [&](const std::string& id, double width) {
                        return draw_histograms(models[i], colour_class(i), id, width);
                      }) +
                 "</figure>\n";
  return "<h3>Weights that are not zero, of the linear layers</h3>\n<p>All layers of a model have the same axes; the "
         "outer "
         "bins hold what lies beyond.</p>\n<div class=\"figures\">" +
         figures + "</div>\n";
}

std::string number_plots(const Models& models) {
  std::string figures;
  for (size_t i = 0; i < models.size(); ++i) {
    const std::string drawing = both("numbers-" + std::to_string(i + 1), [&](const std::string& id, double width) {
      return draw_numbers(models[i], colour_class(i), id, width);
    });
    if (drawing.find("<svg") != std::string::npos)
      figures += "<figure>\n<figcaption>Answers of " + isolated(models[i].name) + " over labels</figcaption>\n" +
                 drawing + "</figure>\n";
  }
  return figures.empty() ? "" : "<div class=\"figures\">" + figures + "</div>\n";
}

}  // namespace espalier
