// SPDX-License-Identifier: Apache-2.0
// Table: a file of records with named columns as a stream: TSV, CSV or JSON lines. Used by data/text/examples.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/choice.h"
#include "data/text/csv_rows.h"
#include "data/text/json_rows.h"
#include "data/text/lines.h"
#include "data/text/tsv_rows.h"

namespace espalier {

enum class TableFormat { automatic, tsv, csv, jsonl };
template <>
struct Names<TableFormat> {
  static constexpr const char* list[] = {"auto", "tsv", "csv", "jsonl"};
};

// How a user's file is read.
struct TableOptions {
  TableFormat format = TableFormat::automatic;                        // by the name's end: format_of
  std::string text_column = {}, pair_column = {}, label_column = {};  // empty: guessed, see data/text/columns
  int64_t memory =
      512;  // MiB of tokens, and of labels and so on; more lies in a file without a name in $TMPDIR, else /var/tmp
};

// What the name says: .csv; .jsonl, .json and .ndjson; any other is TSV.
TableFormat format_of(const std::filesystem::path& path);

class Table {
 public:
  // Reads the header, or the keys of the first line of JSON. Throws Error for an empty file and for what is plainly of
  // another format. Errors name file and line: for a row with other columns, for what Lines refuses and for what
  // csv_rows.h and json_rows.h name.
  Table(const std::filesystem::path& path, TableFormat format);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  const std::vector<std::string>& columns() const { return columns_; }
  // Of JSON, whose lines may have other keys: these must be there. In `lists`, a value may be a list.
  void use(std::vector<size_t> columns, bool lists);

  // The next record, a field for each column, valid until the next call; false at the end.
  bool next(std::vector<std::string_view>& fields);
  int64_t line() const { return line_; }  // where that record, or the header, begins
  template <class... Parts>
  [[noreturn]] void wrong(const Parts&... parts) const {
    lines_.wrong_at(line_, parts...);
  }
  // ": it looks like CSV, …" where a header of one column does; else empty. For messages.
  std::string hint() const;

 private:
  Lines lines_;
  TableFormat format_;
  std::variant<TsvRows, CsvRows, JsonRows> rows_;
  std::vector<std::string> columns_;
  int64_t line_ = 1;
};

}  // namespace espalier
