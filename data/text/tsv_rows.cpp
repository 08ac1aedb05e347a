// SPDX-License-Identifier: Apache-2.0
#include "data/text/tsv_rows.h"

namespace espalier {
namespace {

void split_at_tabs(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
}

// gj04 TAB 1 TAB TAB Our friends won't buy this analysis …
bool is_row_of_cola(const std::vector<std::string_view>& fields) {
  return fields.size() == 4 && (fields[1] == "0" || fields[1] == "1") && (fields[2].empty() || fields[2] == "*");
}

}  // namespace

std::vector<std::string> TsvRows::start(Lines& lines) {
  std::string_view line;
  if (!lines.next(line)) return {};
  split_at_tabs(line, first_);
  columns_ = first_.size();
  first_is_row_ = is_row_of_cola(first_);
  if (first_is_row_) return {"source", "label", "mark", "sentence"};
  return {first_.begin(), first_.end()};
}

bool TsvRows::next(Lines& lines, std::vector<std::string_view>& fields) {
  if (first_is_row_) {
    first_is_row_ = false;
    fields = first_;
    return true;
  }
  std::string_view line;
  if (!lines.next(line)) return false;
  split_at_tabs(line, fields);
  if (fields.size() != columns_)
    lines.wrong("found ", fields.size(), fields.size() == 1 ? " column" : " columns", "; expected ", columns_,
                " as in the header: text must hold no tab or line break");
  return true;
}

}  // namespace espalier
