// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/markdown_table.h"

#include <algorithm>

namespace espalier {
namespace {

// Characters, not bytes: a file's name may have any.
size_t width_of(const std::string& text) {
  return static_cast<size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) != 0x80; }));
}

// A | in a cell would end it.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? std::string("\\|") : std::string(1, c);
  return safe;
}

}  // namespace

std::string markdown_table(const TableRows& rows) {
  std::vector<size_t> widths(rows.front().size(), 3);
  for (const auto& row : rows)
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width_of(cell(row[i])));
  std::string text;
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string shown = cell(rows[r][i]), space(widths[i] - width_of(shown), ' ');
      text += "| " + (i == 0 ? shown + space : space + shown) + ' ';
    }
    text += "|\n";
    if (r > 0) continue;
    for (size_t i = 0; i < widths.size(); ++i)
      text += i == 0 ? "|:" + std::string(widths[i], '-') + '-' : "|-" + std::string(widths[i], '-') + ':';
    text += "|\n";
  }
  return text;
}

}  // namespace espalier
