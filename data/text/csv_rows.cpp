// SPDX-License-Identifier: Apache-2.0
#include "data/text/csv_rows.h"

#include <csv.h>

namespace espalier {
namespace {

constexpr size_t largest_row = size_t{64} << 20;  // bytes

int never(unsigned char) { return 0; }

}  // namespace

// It is given line by line, so that where a row begins is known.
struct CsvRows::Parser {
  csv_parser csv{};
  std::vector<std::vector<std::string>> rows;  // that have ended, and behind them the one that is being read
  size_t ended = 0, given = 0;
  size_t fields = 0, bytes = 0;  // of the row that is being read
  bool at_end = false;

  Parser() {
    csv_init(&csv, CSV_STRICT | CSV_STRICT_FINI);
    csv_set_space_func(&csv, never);  // spaces belong to the field
    csv_set_blk_size(&csv, size_t{1} << 16);
    rows.resize(1);
  }
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;
  ~Parser() { csv_free(&csv); }

  static void field(void* text, size_t size, void* self) {
    auto& parser = *static_cast<Parser*>(self);
    std::vector<std::string>& row = parser.rows[parser.ended];
    if (parser.fields == row.size()) row.emplace_back();
    row[parser.fields++].assign(static_cast<const char*>(text), size);
  }
  static void row(int, void* self) {
    auto& parser = *static_cast<Parser*>(self);
    parser.rows[parser.ended].resize(parser.fields);
    if (++parser.ended == parser.rows.size()) parser.rows.emplace_back();
    parser.fields = 0;
  }
};

void CsvRows::Delete::operator()(Parser* parser) const { delete parser; }

std::vector<std::string> CsvRows::start(Lines& lines) {
  parser_.reset(new Parser);
  std::vector<std::string_view> header;
  if (!read(lines, header)) return {};
  columns_ = header.size();
  return {header.begin(), header.end()};
}

bool CsvRows::next(Lines& lines, std::vector<std::string_view>& fields) {
  if (!read(lines, fields)) return false;
  if (fields.size() != columns_)
    lines.wrong_at(row_line_, "found ", fields.size(), fields.size() == 1 ? " column" : " columns", "; expected ",
                   columns_, " as in the header: a text with a comma, quote or line break stands in quotes");
  return true;
}

bool CsvRows::read(Lines& lines, std::vector<std::string_view>& fields) {
  Parser& p = *parser_;
  if (p.given == p.ended) {
    std::swap(p.rows.front(), p.rows[p.ended]);
    p.given = p.ended = 0;
  }
  std::string_view line;
  while (p.ended == 0 && !p.at_end) {
    p.at_end = !lines.next(line);
    p.at_end ? finish(lines) : parse(lines, line);
  }
  if (p.given == p.ended) return false;
  row_line_ = next_line_;
  fields.assign(p.rows[p.given].begin(), p.rows[p.given].end());
  ++p.given;
  return true;
}

void CsvRows::parse(const Lines& lines, std::string_view line) {
  Parser& p = *parser_;
  if (p.csv.pstate == 0) {  // no row has begun
    next_line_ = lines.number();
    p.bytes = 0;
  }
  if (lines.number() == 1 && line.starts_with("{\""))
    lines.wrong("looks like JSON lines; expected CSV: name the file .jsonl, or use --format jsonl");
  if (csv_parse(&p.csv, line.data(), line.size(), Parser::field, Parser::row, &p) != line.size())
    lines.wrong_at(next_line_, "has a quote at a wrong place",
                   lines.number() > next_line_ ? ", at or before line " + std::to_string(lines.number()) : "",
                   "; expected a text with quotes, commas or line breaks to stand in quotes as a whole, and quotes "
                   "inside of it to be doubled");
  p.bytes += line.size();
  if (p.bytes > largest_row)
    lines.wrong_at(next_line_, "begins a row of more than ", largest_row,
                   " bytes; expected one example: a quote may be open that is closed much later");
}

void CsvRows::finish(const Lines& lines) {
  Parser& p = *parser_;
  if (csv_fini(&p.csv, Parser::field, Parser::row, &p) != 0)
    lines.wrong_at(next_line_,
                   "begins a row with a quote that is never closed; expected one behind the text, and "
                   "quotes inside of the text doubled");
}

}  // namespace espalier
