// SPDX-License-Identifier: Apache-2.0
// Where the names of points stand in a plot, so that no two of them overlap.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace espalier {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;  // x and y: of the upper left corner

  bool overlaps(const Box& other) const;
  bool holds(const Box& other) const;
};

struct LabelledPoint {
  double x = 0, y = 0;           // its middle
  double width = 0, height = 0;  // of the label
};

// The label's box for each point, as near to the point as there is room: inside of `room`, beside all other labels and
// all points, and off the boxes `better_not` where that can be. None for a point that has no such place.
std::vector<std::optional<Box>> place_labels(const std::vector<LabelledPoint>& points,
                                             const std::vector<Box>& better_not, const Box& room);

// How wide a text is drawn at most, in units of the drawing, with a usual sans-serif font of this size.
double text_width(const std::string& utf8, double font_size);

}  // namespace espalier
