// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/plots.h"

#include <algorithm>
#include <cmath>

#include "apps/reporting/labels.h"
#include "apps/reporting/markup.h"
#include "apps/reporting/svg.h"
#include "core/format.h"

namespace espalier {
namespace {

constexpr double font = 12;

// Where the axes of a plot are, in a drawing of this size.
struct Frame {
  double left = 52, top = 14, right, bottom;

  Frame(double width, double height) : right(width - 12), bottom(height - 42) {}
};

void draw_axes(Svg& svg, const Frame& frame, const Axis& x, const Axis& y, const std::string& x_title) {
  const int most = frame.right - frame.left > 400 ? 9 : 5;
  for (const double v : y.ticks(7)) {
    svg.line(frame.left, y.at(v), frame.right, y.at(v), "grid");
    svg.text(frame.left - 6, y.at(v) + 4, tick_text(v), "tick", Svg::Anchor::end);
  }
  for (const double v : x.ticks(most)) {
    svg.line(x.at(v), frame.bottom, x.at(v), frame.bottom + 5, "axis");
    svg.text(x.at(v), frame.bottom + 18, tick_text(v), "tick", Svg::Anchor::middle);
  }
  svg.line(frame.left, frame.bottom, frame.right, frame.bottom, "axis");
  svg.text((frame.left + frame.right) / 2, frame.bottom + 36, x_title, "axis-title", Svg::Anchor::middle);
}

template <class Points, class Value>
Interval range_of(const Points& points, const Value& value) {
  Interval all{INFINITY, -INFINITY};
  for (const auto& p : points) {
    const Interval own = value(p);
    if (std::isfinite(own.low)) all.low = std::min(all.low, own.low);
    if (std::isfinite(own.high)) all.high = std::max(all.high, own.high);
  }
  return all;
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

struct Bars {
  Box across, along;  // the error bars of a point
};

Bars draw_bars(Svg& svg, const PlotPoint& p, const Axis& x, const Axis& y, const std::string& colour) {
  const auto end = [](double v, double otherwise) { return std::isfinite(v) ? v : otherwise; };
  const double left = x.at(end(p.x_interval.low, p.x)), right = x.at(end(p.x_interval.high, p.x)),
               low = y.at(end(p.y_interval.low, p.y)), high = y.at(end(p.y_interval.high, p.y));
  svg.line(x.at(p.x), low, x.at(p.x), high, "bar " + colour);
  for (const double v : {low, high}) svg.line(x.at(p.x) - 4, v, x.at(p.x) + 4, v, "bar " + colour);
  if (right - left > 1) svg.line(left, y.at(p.y), right, y.at(p.y), "bar " + colour);
  return {{left, y.at(p.y) - 1, right - left, 2}, {x.at(p.x) - 3, high, 6, low - high}};
}

void draw_names(Svg& svg, const ScatterPlot& plot, const std::vector<LabelledPoint>& points,
                const std::vector<std::optional<Box>>& boxes, const std::vector<std::string>& names) {
  for (size_t i = 0; i < plot.points.size(); ++i) {
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
  const double height = narrow ? 300 : 400;
  const Frame frame(width, height);
  const Interval xs = range_of(plot.points, [](const PlotPoint& p) {
    return Interval{std::min(p.x, p.x_interval.low), std::max(p.x, p.x_interval.high)};
  });
  const Interval ys = range_of(plot.points, [](const PlotPoint& p) {
    return Interval{std::fmin(p.y, p.y_interval.low), std::fmax(p.y, p.y_interval.high)};
  });
  const Axis x(Scale::logarithmic, xs.low, xs.high, frame.left, frame.right),
      y(Scale::linear, ys.low, ys.high, frame.bottom, frame.top);
  Svg svg(id, width, height, plot.title, words_of(plot));
  draw_axes(svg, frame, x, y, plot.x_title);
  std::vector<std::pair<double, double>> front;
  for (const size_t i : front_of(plot)) front.emplace_back(x.at(plot.points[i].x), y.at(plot.points[i].y));
  svg.path(front, "front");
  std::vector<Box> better_not;
  std::vector<LabelledPoint> points;
  std::vector<std::string> names;
  for (size_t i = 0; i < plot.points.size(); ++i) {
    const PlotPoint& p = plot.points[i];
    const Bars bars = draw_bars(svg, p, x, y, colour_class(i));
    better_not.insert(better_not.end(), {bars.across, bars.along});
    names.push_back(narrow ? std::to_string(i + 1) : middle_left_out(p.name, 28));
    points.push_back({x.at(p.x), y.at(p.y), text_width(names[i], font) + 4, font + 4});
  }
  for (size_t i = 0; i < points.size(); ++i)
    svg.circle(points[i].x, points[i].y, 5, "point " + colour_class(i), plot.points[i].name);
  const Box room{frame.left + 2, frame.top, frame.right - frame.left - 2, frame.bottom - frame.top - 2};
  auto boxes = place_labels(points, better_not, room);
  if (std::ranges::any_of(boxes, [](const auto& box) { return !box; })) {
    for (size_t i = 0; i < points.size(); ++i) {
      names[i] = std::to_string(i + 1);
      points[i].width = text_width(names[i], font) + 4;
    }
    boxes = place_labels(points, better_not, room);
  }
  draw_names(svg, plot, points, boxes, names);
  return svg.markup();
}

std::string draw_curves(const std::vector<TrainingCurves>& curves, Curve which, const std::string& id, double width) {
  const bool training = which == Curve::training;
  const auto points_of = [&](const TrainingCurves& c) -> const std::vector<CurvePoint>& {
    return training ? c.training : c.evaluation;
  };
  Interval xs{INFINITY, -INFINITY}, ys = xs;
  std::string words = "Loss over epochs, a line for each run. ";
  for (const TrainingCurves& c : curves) {
    if (points_of(c).empty()) continue;
    for (const CurvePoint& p : points_of(c)) {
      xs = {std::min(xs.low, p.epoch), std::max(xs.high, p.epoch)};
      ys = {std::min(ys.low, p.value), std::max(ys.high, p.value)};
    }
    words += c.name + format(": from %.4g to %.4g; ", points_of(c).front().value, points_of(c).back().value);
  }
  if (!(xs.high >= xs.low)) return "";
  const double height = width < 500 ? 260 : 300;
  const Frame frame(width, height);
  const Axis x(Scale::linear, xs.low, xs.high, frame.left, frame.right),
      y(Scale::linear, ys.low, ys.high, frame.bottom, frame.top);
  Svg svg(id, width, height, training ? "Training loss" : "Loss on the development set", words);
  draw_axes(svg, frame, x, y, "epochs");
  for (size_t i = 0; i < curves.size(); ++i) {
    std::vector<std::pair<double, double>> line;
    for (const CurvePoint& p : points_of(curves[i])) line.emplace_back(x.at(p.epoch), y.at(p.value));
    svg.path(line, "curve " + colour_class(i));
    if (training && line.size() > 1) continue;
    for (const auto& [px, py] : line) svg.circle(px, py, 3, "point " + colour_class(i), curves[i].name);
  }
  return svg.markup();
}

std::string draw_histograms(const ModelFigures& model, const std::string& id, double width) {
  const auto count = static_cast<int64_t>(model.histograms.size());
  const int64_t columns = std::clamp<int64_t>(static_cast<int64_t>(width / 110), 1, std::max<int64_t>(1, count));
  const double cell = width / static_cast<double>(columns), cell_height = 112, room = 62;
  const int64_t lines = (count + columns - 1) / columns;
  double highest = 0;
  std::string words;
  for (const WeightHistogram& h : model.histograms) {
    highest = std::max(highest, *std::ranges::max_element(h.shares));
    words += h.layer + format(": %.1f %% zeros; ", 100 * h.zeros);
  }
  Svg svg(id, width, cell_height * static_cast<double>(lines), "Weights of " + model.name + " by layer",
          "A histogram of the weights that are not zero for each encoder layer. " + words);
  for (int64_t i = 0; i < count; ++i) {
    const WeightHistogram& h = model.histograms[static_cast<size_t>(i)];
    const double left = static_cast<double>(i % columns) * cell + 6, right = left + cell - 12,
                 top = static_cast<double>(i / columns) * cell_height + 18, bottom = top + room;
    const double step = (right - left) / static_cast<double>(h.shares.size());
    svg.text(left, top - 4, h.layer, "axis-title");
    std::vector<std::pair<double, double>> outline = {{left, bottom}};
    for (size_t b = 0; b < h.shares.size(); ++b) {
      const double y = bottom - h.shares[b] / highest * room, x = left + static_cast<double>(b) * step;
      outline.emplace_back(x, y);
      outline.emplace_back(x + step, y);
    }
    outline.emplace_back(right, bottom);
    svg.path(outline, "area");
    svg.line(left, bottom, right, bottom, "axis");
    svg.text(left, bottom + 13, format("−%.2g", h.range), "tick");
    svg.text(right, bottom + 13, format("%.2g", h.range), "tick", Svg::Anchor::end);
    svg.text((left + right) / 2, bottom + 26, format("%.0f %% zeros", 100 * h.zeros), "tick", Svg::Anchor::middle);
  }
  return svg.markup();
}

}  // namespace espalier
