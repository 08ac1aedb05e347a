// SPDX-License-Identifier: Apache-2.0
// JsonRows: the rows of a JSON lines file: an object on each line. Used by data/text/table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/lines.h"

namespace espalier {

// A value is a text, a number, true or false, which become text; or a list of these, which becomes text with commas
// between. Errors, besides those of Lines: a line that is no object; a column that is used and not there, or null, an
// object, or a list where none is expected.
class JsonRows {
 public:
  // The keys of the first line, in alphabetical order.
  std::vector<std::string> start(Lines& lines);
  void use(std::vector<size_t> columns, bool lists);  // the columns that next() gives; the others stay empty
  bool next(Lines& lines, std::vector<std::string_view>& fields);
  int64_t first_line(const Lines& lines) const { return lines.number(); }  // of the last row

 private:
  std::vector<std::string> columns_, values_;
  std::vector<size_t> used_;
  bool lists_ = true, first_is_row_ = true;
  std::string first_;
};

}  // namespace espalier
