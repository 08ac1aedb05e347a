// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "apps/reporting/plot_frame.h"
#include "apps/reporting/plots.h"
#include "core/format.h"

namespace espalier {

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
      widen(xs, p.epoch);
      widen(ys, p.value);
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
  for (const TrainingCurves& c : curves) {
    std::vector<std::pair<double, double>> line;
    for (const CurvePoint& p : points_of(c)) line.emplace_back(x.at(p.epoch), y.at(p.value));
    svg.path(line, "curve " + colour_class(c.colour));
    if (training && line.size() > 1) continue;
    for (const auto& [px, py] : line) svg.circle(px, py, 3, "point " + colour_class(c.colour), c.name);
  }
  return svg.markup();
}

}  // namespace espalier
