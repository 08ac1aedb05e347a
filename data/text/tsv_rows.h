// SPDX-License-Identifier: Apache-2.0
// TsvRows: the rows of a TSV file in GLUE's raw form: a header line, one row per line, no quoting. Used by
// data/text/table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/lines.h"

namespace espalier {

class TsvRows {
 public:
  // The header. A file that begins as CoLA's train.tsv, which has none, gets the columns source, label, mark, sentence.
  std::vector<std::string> start(Lines& lines);
  bool next(Lines& lines, std::vector<std::string_view>& fields);
  int64_t first_line(const Lines& lines) const { return lines.number(); }  // of the last row

 private:
  size_t columns_ = 0;
  bool first_is_row_ = false;
  std::vector<std::string_view> first_;  // valid until the next line is read
};

}  // namespace espalier
