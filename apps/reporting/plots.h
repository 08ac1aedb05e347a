// SPDX-License-Identifier: Apache-2.0
// The figures of the page, as SVG. Each is drawn for a width; the page shows the one that fits the window.
#pragma once

#include <string>
#include <vector>

#include "apps/reporting/axis.h"
#include "apps/reporting/figures.h"

namespace espalier {

constexpr double wide_plot = 600, narrow_plot = 330;

// A model in a scatter plot; the intervals are drawn as error bars.
struct PlotPoint {
  std::string name;
  double x = 0, y = 0;
  Interval x_interval, y_interval;
};
struct ScatterPlot {
  std::string title = {}, x_title = {}, y_title = {};
  bool less_is_better = false;  // of x
  std::vector<PlotPoint> points = {};
};
// x on a logarithmic axis, and a line through the points that no other one beats. Names stand beside their points; in a
// narrow plot, and where a name has no place, the point's number does, from 1.
std::string draw(const ScatterPlot& plot, const std::string& id, double width);

enum class Curve { training, evaluation };
std::string draw_curves(const std::vector<TrainingCurves>& curves, Curve which, const std::string& id, double width);

// A small histogram for each layer of the model.
std::string draw_histograms(const ModelFigures& model, const std::string& colour, const std::string& id, double width);

// Answers that are numbers over their labels, up to 500 of them; empty for other answers.
std::string draw_numbers(const ModelFigures& model, const std::string& colour, const std::string& id, double width);

// The class of the colour, and for lines of the dashes, of number i from 0.
std::string colour_class(size_t i);

}  // namespace espalier
