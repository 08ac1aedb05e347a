// SPDX-License-Identifier: Apache-2.0
// CsvRows: the rows of a CSV file by RFC 4180: commas; fields in quotes may hold commas, line breaks and doubled
// quotes. Used by data/text/table. Only csv_rows.cpp sees libcsv.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/lines.h"

namespace espalier {

// Text is kept byte for byte, with the spaces around it. Blank lines are left out. Errors, besides those of Lines: a
// quote inside of a field that does not begin with one, or in front of anything but a comma; one that is never closed,
// or not within 64 MiB; a row with more or fewer fields than the header.
class CsvRows {
 public:
  std::vector<std::string> start(Lines& lines);
  bool next(Lines& lines, std::vector<std::string_view>& fields);
  int64_t first_line(const Lines&) const { return row_line_; }

 private:
  struct Parser;  // libcsv's, and the rows that it has found
  struct Delete {
    void operator()(Parser* parser) const;
  };
  bool read(Lines& lines, std::vector<std::string_view>& fields);
  void parse(const Lines& lines, std::string_view line);
  void finish(const Lines& lines);

  std::unique_ptr<Parser, Delete> parser_;
  size_t columns_ = 0;
  int64_t row_line_ = 1, next_line_ = 1;  // of the last row; where the one begins that is read now
};

}  // namespace espalier
