// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "apps/reporting/labels.h"
#include "apps/reporting/markup.h"
#include "apps/reporting/plot_frame.h"
#include "apps/reporting/plots.h"
#include "core/format.h"

namespace espalier {
namespace {

constexpr double font = 12;

// The axes of a plot, wide enough for all points and their error bars.
struct Axes {
  Axis x, y;
};

Axes axes_of(const ScatterPlot& plot, const Frame& frame) {
  Interval x{INFINITY, -INFINITY}, y = x;
  for (const PlotPoint& p : plot.points) {
    for (const double v : {p.x, p.x_interval.low, p.x_interval.high}) widen(x, v);
    for (const double v : {p.y, p.y_interval.low, p.y_interval.high}) widen(y, v);
  }
  return {{Scale::logarithmic, x.low, x.high, frame.left, frame.right},
          {Scale::linear, y.low, y.high, frame.bottom, frame.top}};
}

std::vector<size_t> front_of(const ScatterPlot& plot) {
  std::vector<double> good, y;
  for (const PlotPoint& p : plot.points) {
    good.push_back(plot.less_is_better ? -p.x : p.x);
    y.push_back(p.y);
  }
  std::vector<size_t> front = pareto_front(good, y);
  std::ranges::sort(front, {}, [&](size_t i) { return plot.points[i].x; });
  return front;
}

std::string words_of(const ScatterPlot& plot) {
  std::string words = plot.y_title + " over " + plot.x_title + ", a point for each model with error bars. ";
  for (const PlotPoint& p : plot.points) words += p.name + format(": %.4g at %.4g; ", p.y, p.x);
  std::vector<std::string> front;
  for (const size_t i : front_of(plot)) front.push_back(plot.points[i].name);
  return words + "no other model beats " + listed(front) + ".";
}

// The error bars of a point.
struct Bars {
  Box across, along;
};

Bars draw_bars(Svg& svg, const PlotPoint& p, const Axes& axes, const std::string& colour) {
  const auto& [x, y] = axes;
  const auto end = [](double v, double otherwise) { return std::isfinite(v) ? v : otherwise; };
  const double left = x.at(end(p.x_interval.low, p.x)), right = x.at(end(p.x_interval.high, p.x)),
               low = y.at(end(p.y_interval.low, p.y)), high = y.at(end(p.y_interval.high, p.y));
  svg.line(x.at(p.x), low, x.at(p.x), high, "bar " + colour);
  for (const double v : {low, high}) svg.line(x.at(p.x) - 4, v, x.at(p.x) + 4, v, "bar " + colour);
  if (right - left > 1) svg.line(left, y.at(p.y), right, y.at(p.y), "bar " + colour);
  return {{left, y.at(p.y) - 1, right - left, 2}, {x.at(p.x) - 3, high, 6, low - high}};
}

// The line through the front, and small boxes along it, where no name is to stand.
std::vector<Box> draw_front(Svg& svg, const ScatterPlot& plot, const Axes& axes) {
  constexpr double step = 6;
  std::vector<std::pair<double, double>> line;
  for (const size_t i : front_of(plot)) line.emplace_back(axes.x.at(plot.points[i].x), axes.y.at(plot.points[i].y));
  svg.path(line, "front");
  std::vector<Box> boxes;
  for (size_t i = 1; i < line.size(); ++i) {
    const auto [x, y] = line[i - 1];
    const double dx = line[i].first - x, dy = line[i].second - y;
    const int parts = static_cast<int>(std::hypot(dx, dy) / step) + 1;
    for (int part = 0; part <= parts; ++part)
      boxes.push_back({x + dx * part / parts - 1, y + dy * part / parts - 1, 2, 2});
  }
  return boxes;
}

// Their numbers, from 1, are the names where there is no room for all of these.
void draw_names(Svg& svg, const std::vector<PlotPoint>& models, std::vector<LabelledPoint> points,
                const std::vector<Box>& better_not, const Box& room, bool narrow) {
  std::vector<std::string> names;
  std::vector<std::optional<Box>> boxes;
  for (bool numbers : {narrow, true}) {
    names.clear();
    for (size_t i = 0; i < points.size(); ++i) {
      names.push_back(numbers ? std::to_string(i + 1) : middle_left_out(models[i].name, 28));
      points[i].width = text_width(names[i], font) + 4;
      points[i].height = font + 4;
    }
    boxes = place_labels(points, better_not, room);
    if (std::ranges::all_of(boxes, [](const auto& box) { return box.has_value(); })) break;
  }
  for (size_t i = 0; i < points.size(); ++i) {
    if (!boxes[i]) continue;
    const Box& b = *boxes[i];
    const double x = std::clamp(points[i].x, b.x, b.x + b.width), y = std::clamp(points[i].y, b.y, b.y + b.height);
    if (std::hypot(x - points[i].x, y - points[i].y) > 14) svg.line(points[i].x, points[i].y, x, y, "leader");
    svg.text(b.x + b.width / 2, b.y + b.height - 4, names[i], "name " + colour_class(i), Svg::Anchor::middle);
  }
}

}  // namespace

std::string colour_class(size_t i) { return format("c%zu d%zu", i % 8, i / 8 % 3); }

std::string draw(const ScatterPlot& plot, const std::string& id, double width) {
  const bool narrow = width < 500;
  const double height = narrow ? 300 : 380;
  const Frame frame(width, height);
  const Axes axes = axes_of(plot, frame);
  Svg svg(id, width, height, plot.title, words_of(plot));
  draw_axes(svg, frame, axes.x, axes.y, plot.x_title);
  std::vector<Box> better_not = draw_front(svg, plot, axes);
  std::vector<LabelledPoint> points;
  for (size_t i = 0; i < plot.points.size(); ++i) {
    const Bars bars = draw_bars(svg, plot.points[i], axes, colour_class(i));
    better_not.insert(better_not.end(), {bars.across, bars.along});
    points.push_back({axes.x.at(plot.points[i].x), axes.y.at(plot.points[i].y)});
  }
  for (size_t i = 0; i < points.size(); ++i)
    svg.circle(points[i].x, points[i].y, 5, "point " + colour_class(i), plot.points[i].name);
  const Box room{frame.left + 2, frame.top, frame.right - frame.left - 2, frame.bottom - frame.top - 2};
  draw_names(svg, plot.points, points, better_not, room, narrow);
  return svg.markup();
}

}  // namespace espalier
