// SPDX-License-Identifier: Apache-2.0
// What plots with two axes share. Used by the files *_plot.cpp.
#pragma once

#include <string>

#include "apps/reporting/axis.h"
#include "apps/reporting/statistics.h"
#include "apps/reporting/svg.h"

namespace espalier {

// Where the axes are, in a drawing of this size.
struct Frame {
  double left = 52, top = 14, right, bottom;

  Frame(double width, double height) : right(width - 12), bottom(height - 42) {}
};

void draw_axes(Svg& svg, const Frame& frame, const Axis& x, const Axis& y, const std::string& x_title);

// Holds the value, too, unless it is NaN; from {infinity, -infinity} on.
void widen(Interval& interval, double value);

}  // namespace espalier
