// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "apps/reporting/plots.h"
#include "apps/reporting/svg.h"
#include "core/format.h"

namespace espalier {

std::string draw_histograms(const ModelFigures& model, const std::string& colour, const std::string& id, double width) {
  const auto count = static_cast<int64_t>(model.histograms.size());
  const int64_t columns = std::clamp<int64_t>(static_cast<int64_t>(width / 100), 1, std::max<int64_t>(1, count));
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
    const int64_t line = i / columns;
    const auto row = static_cast<double>(line), column = static_cast<double>(i % columns);
    const double left = column * cell + 6, right = left + cell - 12, top = row * cell_height + 18, bottom = top + room;
    const double step = (right - left) / static_cast<double>(h.shares.size());
    svg.text(left, top - 4, h.layer, "axis-title");
    std::vector<std::pair<double, double>> outline = {{left, bottom}};
    for (size_t b = 0; b < h.shares.size(); ++b) {
      const double y = bottom - h.shares[b] / highest * room, x = left + static_cast<double>(b) * step;
      outline.emplace_back(x, y);
      outline.emplace_back(x + step, y);
    }
    outline.emplace_back(right, bottom);
    svg.path(outline, "area " + colour);
    svg.line(left, bottom, right, bottom, "axis");
    svg.text(left, bottom + 13, format("−%.2g", h.range), "tick");
    svg.text(right, bottom + 13, format("%.2g", h.range), "tick", Svg::Anchor::end);
    svg.text((left + right) / 2, bottom + 26, format("%.0f %% zeros", 100 * h.zeros), "tick", Svg::Anchor::middle);
  }
  return svg.markup();
}

}  // namespace espalier
