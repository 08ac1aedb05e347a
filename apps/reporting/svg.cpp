// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/svg.h"

#include "apps/reporting/markup.h"
#include "core/format.h"

namespace espalier {

Svg::Svg(const std::string& id, double width, double height, const std::string& title, const std::string& description)
    : text_(
          format("<svg role=\"img\" viewBox=\"0 0 %g %g\" width=\"%g\" height=\"%g\" ", width, height, width, height) +
          "aria-labelledby=\"" + id + "-title " + id + "-desc\">\n<title id=\"" + id + "-title\">" + escaped(title) +
          "</title>\n<desc id=\"" + id + "-desc\">" + escaped(description) + "</desc>\n") {}

void Svg::line(double x1, double y1, double x2, double y2, const std::string& classes) {
  text_ +=
      format("<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2, y2, classes.c_str());
}

void Svg::path(const std::vector<std::pair<double, double>>& points, const std::string& classes) {
  if (points.empty()) return;
  text_ += "<path d=\"";
  for (size_t i = 0; i < points.size(); ++i)
    text_ += format("%s%.1f %.1f", i == 0 ? "M" : "L", points[i].first, points[i].second);
  text_ += "\" class=\"" + classes + "\"/>\n";
}

void Svg::circle(double x, double y, double radius, const std::string& classes, const std::string& title) {
  text_ += format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%g\" class=\"%s\">", x, y, radius, classes.c_str()) + "<title>" +
           escaped(title) + "</title></circle>\n";
}

void Svg::rectangle(double x, double y, double width, double height, const std::string& classes) {
  text_ += format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" class=\"%s\"/>\n", x, y, width, height,
                  classes.c_str());
}

void Svg::text(double x, double y, const std::string& words, const std::string& classes, Anchor anchor) {
  const char* const names[] = {"start", "middle", "end"};
  text_ += format("<text x=\"%.1f\" y=\"%.1f\" class=\"%s\" text-anchor=\"%s\">", x, y, classes.c_str(),
                  names[static_cast<size_t>(anchor)]) +
           escaped(words) + "</text>\n";
}

}  // namespace espalier
