// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "apps/reporting/plot_frame.h"
#include "apps/reporting/plots.h"
#include "core/format.h"

namespace espalier {

std::string draw_numbers(const ModelFigures& model, const std::string& colour, const std::string& id, double width) {
  constexpr size_t most_points = 500;
  std::vector<std::pair<double, double>> points;  // label and answer
  for (size_t i = 0; i < model.answers.size(); ++i)
    for (size_t c = 0; c < model.answers[i].values.size() && c < model.wanted_values[i].size(); ++c)
      points.emplace_back(model.wanted_values[i][c], model.answers[i].values[c]);
  if (points.empty()) return "";
  Interval range{INFINITY, -INFINITY};
  for (const auto& [label, answer] : points) {
    widen(range, label);
    widen(range, answer);
  }
  const double height = width < 500 ? 300 : 380;
  const Frame frame(width, height);
  const Axis x(Scale::linear, range.low, range.high, frame.left, frame.right),
      y(Scale::linear, range.low, range.high, frame.bottom, frame.top);
  Svg svg(id, width, height, "Answers of " + model.name + " over labels",
          format("A point for each number, of %zu; on the dashed line answer and label are equal.", points.size()));
  draw_axes(svg, frame, x, y, "label");
  svg.line(x.at(range.low), y.at(range.low), x.at(range.high), y.at(range.high), "front");
  const size_t every = (points.size() + most_points - 1) / most_points;
  for (size_t i = 0; i < points.size(); i += every) {
    const auto [label, answer] = points[i];
    svg.circle(x.at(label), y.at(answer), 3, "point " + colour, format("label %.4g, answer %.4g", label, answer));
  }
  return svg.markup();
}

}  // namespace espalier
