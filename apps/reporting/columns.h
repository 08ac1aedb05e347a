// SPDX-License-Identifier: Apache-2.0
// The columns of the tables: title, text and sort key of each figure. The table on the terminal, the page and Markdown
// show the same.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "apps/reporting/figures.h"

namespace espalier {

struct Column {
  enum Group { quality, speed, size };

  Group group;
  std::string title;
  bool brief;  // stands in the terminal's table, too
  std::function<std::string(const ModelFigures&)> text;
  std::function<double(const ModelFigures&)> key;
};

// For models of one metric.
std::vector<Column> columns_of(const std::vector<ModelFigures>& models);

// The same for the differences from the first model.
struct DifferenceColumn {
  std::string title;
  std::function<std::string(const ModelFigures& model, const ModelFigures& first)> text;
};
std::vector<DifferenceColumn> difference_columns(const ModelFigures& first);

// Accuracy in percent, other metrics as they are.
double shown(const std::string& metric, double value);
std::string shown_text(const std::string& metric, double value);

void print_table(const std::vector<ModelFigures>& models);  // on stdout

}  // namespace espalier
