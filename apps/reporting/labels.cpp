// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/labels.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace espalier {
namespace {

constexpr double mark = 6;  // half of the width of a point's own mark

// The label's box at a distance from its point in the direction of the angle.
Box beside(const LabelledPoint& p, double distance, double angle) {
  const double x = p.x + std::cos(angle) * distance, y = p.y - std::sin(angle) * distance,
               left = 0.5 * (1 - std::cos(angle)), up = 0.5 * (1 + std::sin(angle));
  return {x - left * p.width, y - up * p.height, p.width, p.height};
}

}  // namespace

bool Box::overlaps(const Box& other) const {
  return x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height;
}

bool Box::holds(const Box& other) const {
  return other.x >= x && other.y >= y && other.x + other.width <= x + width && other.y + other.height <= y + height;
}

std::vector<std::optional<Box>> place_labels(const std::vector<LabelledPoint>& points,
                                             const std::vector<Box>& better_not, const Box& room) {
  constexpr int directions = 16;
  std::vector<Box> taken;
  taken.reserve(2 * points.size());
  for (const LabelledPoint& p : points) taken.push_back({p.x - mark, p.y - mark, 2 * mark, 2 * mark});
  const auto free = [&](const Box& box, const std::vector<Box>& others) {
    return std::ranges::none_of(others, [&](const Box& other) { return box.overlaps(other); });
  };
  const auto farthest = static_cast<int>(std::hypot(room.width, room.height) / mark);  // in marks
  const auto place = [&](const LabelledPoint& p) -> std::optional<Box> {
    for (const bool strict : {true, false})
      for (int marks = 0; marks < (strict ? 20 : farthest); ++marks)
        for (int i = 0; i < directions; ++i) {
          // Right, left, above, below, then what lies between.
          const int quarter = i % 4 == 0 ? 0 : i % 4 == 1 ? 8 : i % 4 == 2 ? 4 : 12, direction = quarter + i / 4;
          const Box box = beside(p, (marks + 1.5) * mark, direction * 2 * std::numbers::pi / directions);
          if (room.holds(box) && free(box, taken) && (!strict || free(box, better_not))) return box;
        }
    return std::nullopt;
  };
  std::vector<std::optional<Box>> boxes;
  for (const LabelledPoint& p : points) {
    boxes.push_back(place(p));
    if (boxes.back()) taken.push_back(*boxes.back());
  }
  return boxes;
}

double text_width(const std::string& utf8, double font_size) {
  double ems = 0;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) ems += 0.62;
    if (byte >= 0xc0) ems += byte < 0xe1 ? 0.7 : 1.2;  // from U+1000 on: Chinese, emoji
  }
  return ems * font_size;
}

}  // namespace espalier
