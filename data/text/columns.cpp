// SPDX-License-Identifier: Apache-2.0
#include "data/text/columns.h"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "core/quoted.h"
#include "data/text/class_names.h"

namespace espalier {
namespace {

using ColumnNames = std::vector<std::string>;

// GLUE's and those that are usual elsewhere. The last pair is MRPC's.
constexpr std::array<std::pair<const char*, const char*>, 10> usual_pairs = {{{"sentence", "sentence2"},
                                                                              {"sentence1", "sentence2"},
                                                                              {"premise", "hypothesis"},
                                                                              {"question1", "question2"},
                                                                              {"question", "sentence"},
                                                                              {"question", "passage"},
                                                                              {"text", "text_pair"},
                                                                              {"text", "text2"},
                                                                              {"text1", "text2"},
                                                                              {"#1 String", "#2 String"}}};
constexpr std::array<const char*, 3> usual_texts = {"sentence", "text", "question"};
constexpr std::array<const char*, 5> usual_labels = {"labels", "gold_label", "is_duplicate", "score", "Quality"};

// At most ten of them.
std::string shown_columns(const ColumnNames& names) {
  constexpr size_t most = 10;
  if (names.size() <= most) return quoted(names);
  return quoted(ColumnNames(names.begin(), names.begin() + most)) + " and " + std::to_string(names.size() - most) +
         " more";
}

class ColumnFinder {
 public:
  explicit ColumnFinder(const Table& table) : table_(table), names_(table.columns()) {}

  // The column that an option names; none where it names none.
  std::optional<size_t> named(const std::string& name, const char* option) const {
    if (name.empty()) return std::nullopt;
    const auto at = std::ranges::find(names_, name);
    if (at == names_.end())
      table_.wrong("has no column ", quoted(name), " (", option, "), only ", shown_columns(names_), table_.hint());
    refuse_twice(*at);
    return at - names_.begin();
  }
  std::optional<size_t> usual(const std::string& name) const {
    auto at = std::ranges::find(names_, name);
    if (at == names_.end())
      at = std::ranges::find_if(names_, [&](const std::string& other) { return equal_names(name, other); });
    if (at == names_.end()) return std::nullopt;
    refuse_twice(*at);
    return at - names_.begin();
  }
  const std::string& name(size_t column) const { return names_[column]; }

 private:
  void refuse_twice(const std::string& name) const {
    if (std::ranges::count(names_, name) > 1)
      table_.wrong("the header names ", quoted(name), " twice; expected each column once: rename one of them");
  }
  const Table& table_;
  const ColumnNames& names_;
};

// The columns of text, where no option names one.
void guess_text(const Table& table, const ColumnFinder& find, Columns& columns) {
  std::vector<std::pair<size_t, std::optional<size_t>>> found;
  std::vector<size_t> in_pairs;
  for (const auto& [a, b] : usual_pairs) {
    const auto first = find.usual(a), second = find.usual(b);
    if (!first || !second) continue;
    found.emplace_back(*first, second);
    in_pairs.insert(in_pairs.end(), {*first, *second});
  }
  for (const char* name : usual_texts)
    if (const auto one = find.usual(name); one && std::ranges::find(in_pairs, *one) == in_pairs.end())
      found.emplace_back(*one, std::nullopt);
  if (found.empty())
    table.wrong("the header has no column 'sentence', only ", shown_columns(table.columns()),
                "; expected names such as sentence, label: add the header, rename a column, or name it with "
                "--text-column",
                table.hint());
  if (found.size() > 1) {
    std::string choices;
    for (const auto& [first, second] : found)
      choices += (choices.empty() ? "" : " or ") + quoted(find.name(first)) +
                 (second ? " with " + quoted(find.name(*second)) : "");
    table.wrong("the text may be in ", choices, "; name it with --text-column, and the second of a pair with ",
                "--pair-column. The columns are ", shown_columns(table.columns()));
  }
  std::tie(columns.first, columns.second) = found.front();
}

void guess_label(const Table& table, const ColumnFinder& find, Columns& columns) {
  columns.label = find.usual("label");
  if (columns.label) return;
  ColumnNames found;
  for (const char* name : usual_labels)
    if (const auto label = find.usual(name)) {
      found.push_back(find.name(*label));
      columns.label = label;
    }
  if (found.size() > 1) table.wrong("the label may be in ", quoted(found), "; name its column with --label-column");
}

std::string note_of(const ColumnFinder& find, const Columns& c, size_t count) {
  const auto is = [&](const std::optional<size_t>& column, const char* name) {
    return !column || find.name(*column) == name;
  };
  const size_t used = size_t{1} + (c.second ? 1 : 0) + (c.label ? 1 : 0);
  if (used == count && is(c.first, "sentence") && is(c.second, "sentence2") && is(c.label, "label")) return "";
  std::string note = "text from column " + quoted(find.name(c.first));
  if (c.second) note += " and " + quoted(find.name(*c.second));
  if (c.label) note += ", label from " + quoted(find.name(*c.label));
  ColumnNames skipped;
  for (size_t i = 0; i < count; ++i)
    if (i != c.first && i != c.second && i != c.label) skipped.push_back(find.name(i));
  return skipped.empty() ? note : note + "; skipped: " + shown_columns(skipped);
}

}  // namespace

Columns choose_columns(const Table& table, const TableOptions& options, bool needs_label) {
  const ColumnFinder find(table);
  Columns columns;
  if (const auto text = find.named(options.text_column, "--text-column")) {
    columns.first = *text;
    columns.second = find.named(options.pair_column, "--pair-column");
  } else {
    if (!options.pair_column.empty())
      table.wrong("--pair-column names the second text of a pair; expected --text-column to name the first one");
    guess_text(table, find, columns);
  }
  columns.label = find.named(options.label_column, "--label-column");
  if (!columns.label) guess_label(table, find, columns);
  if (!columns.label && needs_label)
    table.wrong("the header has no column 'label', only ", shown_columns(table.columns()),
                "; expected labels for training and evaluation: add the column, or name it with --label-column");
  if (columns.first == columns.second || columns.first == columns.label ||
      (columns.second && columns.second == columns.label))
    table.wrong("a column is named for two purposes; expected text, pair and label to be different ones");
  columns.note = note_of(find, columns, table.columns().size());
  return columns;
}

}  // namespace espalier
