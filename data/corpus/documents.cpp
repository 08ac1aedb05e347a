// SPDX-License-Identifier: Apache-2.0
#include "data/corpus/documents.h"

#include <numeric>

namespace espalier {
namespace {

bool is_blank(std::string_view line) { return line.find_first_not_of(" \t\r\f\v\n") == line.npos; }

}  // namespace

int64_t Document::bytes() const {
  return std::accumulate(lines.begin(), lines.end(), int64_t{0},
                         [](int64_t sum, const std::string& line) { return sum + std::ssize(line); });
}

bool is_table(const std::filesystem::path& path, const TableOptions& table) {
  return table.format != TableFormat::automatic || path.extension() == ".tsv" || format_of(path) != TableFormat::tsv;
}

DocumentReader::DocumentReader(const std::filesystem::path& path, const TableOptions& table, int64_t longest)
    : longest_(longest) {
  if (is_table(path, table))
    table_.emplace(path, ReadOptions{.labels = Labels::ignored, .table = table});
  else
    lines_.emplace(path, Lines::Of::sentences, "plain text, a sentence or paragraph a line", Lines::any_size);
}

bool DocumentReader::next(Document& document) {
  document.lines.clear();
  if (table_) return next_row(document);
  int64_t bytes = 0;
  for (std::string_view line; bytes < longest_ && lines_->next(line);) {
    if (!is_blank(line)) {
      document.lines.emplace_back(line);
      bytes += std::ssize(line);
    } else if (!document.lines.empty()) {
      break;
    }
  }
  return !document.lines.empty();
}

// Rows without text are left out.
bool DocumentReader::next_row(Document& document) {
  for (Example row; table_->next(row);) {
    if (!is_blank(row.first)) document.lines.push_back(std::move(row.first));
    if (!is_blank(row.second)) document.lines.push_back(std::move(row.second));
    if (!document.lines.empty()) return true;
  }
  return false;
}

}  // namespace espalier
