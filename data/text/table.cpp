// SPDX-License-Identifier: Apache-2.0
#include "data/text/table.h"

#include "core/check.h"

namespace espalier {
namespace {

TableFormat known_format(const std::filesystem::path& path, TableFormat wanted) {
  return wanted == TableFormat::automatic ? format_of(path) : wanted;
}

Lines open_lines(const std::filesystem::path& path, TableFormat format) {
  const bool pieces = format == TableFormat::csv;
  Lines lines(path, pieces ? Lines::Of::pieces : Lines::Of::records, "one example per line", Lines::any_size);
  CHECK(lines.size() > 0, path.string(), ": is empty; expected ",
        format == TableFormat::jsonl ? "an object on each line, with a sentence and a label"
                                     : "a header line naming the columns sentence and label");
  return lines;
}

std::variant<TsvRows, CsvRows, JsonRows> rows_of(TableFormat format) {
  if (format == TableFormat::csv) return CsvRows();
  if (format == TableFormat::jsonl) return JsonRows();
  return TsvRows();
}

}  // namespace

TableFormat format_of(const std::filesystem::path& path) {
  const std::string end = path.extension().string();
  if (end == ".csv") return TableFormat::csv;
  return end == ".jsonl" || end == ".json" || end == ".ndjson" ? TableFormat::jsonl : TableFormat::tsv;
}

Table::Table(const std::filesystem::path& path, TableFormat format)
    : lines_(open_lines(path, known_format(path, format))),
      format_(known_format(path, format)),
      rows_(rows_of(format_)),
      columns_(std::visit([&](auto& rows) { return rows.start(lines_); }, rows_)) {
  CHECK(!columns_.empty(), path.string(), ": is empty; expected a header line naming the columns sentence and label");
}

void Table::use(std::vector<size_t> columns, bool lists) {
  if (auto* const json = std::get_if<JsonRows>(&rows_)) json->use(std::move(columns), lists);
}

bool Table::next(std::vector<std::string_view>& fields) {
  const bool there = std::visit([&](auto& rows) { return rows.next(lines_, fields); }, rows_);
  if (there) line_ = std::visit([&](const auto& rows) { return rows.first_line(lines_); }, rows_);
  return there;
}

std::string Table::hint() const {
  if (columns_.size() != 1 || format_ == TableFormat::jsonl) return "";
  const std::string& header = columns_.front();
  const auto has = [&](char c) { return header.find(c) != std::string::npos; };
  if (header.starts_with('{')) return "; it looks like JSON lines: name it .jsonl, or use --format jsonl";
  if (format_ == TableFormat::csv && has('\t')) return "; it looks like TSV: name it .tsv, or use --format tsv";
  if (has(';')) return "; semicolons separate nothing here: save the file with commas, as .csv";
  if (format_ == TableFormat::tsv && has(',')) return "; it looks like CSV: name it .csv, or use --format csv";
  return "";
}

}  // namespace espalier
