// SPDX-License-Identifier: Apache-2.0
// Svg: a drawing in a page, with a title and a description for those who do not see it. Colours and fonts are the
// page's: marks have classes.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace espalier {

class Svg {
 public:
  // `id` is no other drawing's of the page. Width and height are in units of about a pixel.
  Svg(const std::string& id, double width, double height, const std::string& title, const std::string& description);

  void line(double x1, double y1, double x2, double y2, const std::string& classes);
  // Through all points, in order.
  void path(const std::vector<std::pair<double, double>>& points, const std::string& classes);
  void circle(double x, double y, double radius, const std::string& classes, const std::string& title);
  void rectangle(double x, double y, double width, double height, const std::string& classes);
  enum class Anchor { start, middle, end };
  void text(double x, double y, const std::string& words, const std::string& classes, Anchor anchor = Anchor::start);

  std::string markup() const { return text_ + "</svg>\n"; }

 private:
  std::string text_;
};

}  // namespace espalier
