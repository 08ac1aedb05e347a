// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/plot_frame.h"

#include <cmath>

namespace espalier {

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

void widen(Interval& interval, double value) {
  interval = {std::fmin(interval.low, value), std::fmax(interval.high, value)};
}

}  // namespace espalier
