// SPDX-License-Identifier: Apache-2.0
#include "data/text/tsv.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "core/check.h"
#include "core/quoted.h"
#include "data/files/atomic_file.h"
#include "data/text/lines.h"

namespace espalier {
namespace {

void split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (size_t tab = line.find('\t'); tab != std::string_view::npos; tab = line.find('\t')) {
    fields.push_back(line.substr(0, tab));
    line.remove_prefix(tab + 1);
  }
  fields.push_back(line);
}

struct Columns {
  size_t count = 0;
  std::optional<size_t> first, second, label;
};

Columns read_header(std::string_view line, const Lines& lines, Labels labels) {
  std::vector<std::string_view> fields;
  split(line, fields);
  const std::vector<std::string> found(fields.begin(), fields.end());
  const auto column = [&](std::string_view name) -> std::optional<size_t> {
    const auto at = std::find(found.begin(), found.end(), name);
    if (at == found.end()) return std::nullopt;
    if (std::find(at + 1, found.end(), name) != found.end())
      lines.wrong("the header names '", name, "' twice; expected each column once: rename one of them");
    return at - found.begin();
  };
  const Columns columns{found.size(), column("sentence"), column("sentence2"), column("label")};
  if (!columns.first)
    lines.wrong("the header has no column 'sentence', only ", quoted(found),
                "; expected tab-separated names such as sentence, label: add the header or rename a column");
  if (!columns.label && labels == Labels::required)
    lines.wrong("the header has no column 'label', only ", quoted(found),
                "; expected labels for training and evaluation: add the column");
  return columns;
}

// The label of a row; -1 that the task does not know as a label is none.
Label read_label(const ReadOptions& options, std::string_view text, const Lines& lines) {
  try {
    return options.read_label(text);
  } catch (const Error& error) {
    if (text != "-1") lines.wrong(error.what());
    if (options.labels == Labels::required)
      lines.wrong("label '-1' is none, as in a test split; expected labels here: take a file that has them");
    return {};
  }
}

// Rows with and without labels must not be in one file.
class Labelled {
 public:
  void check(bool labelled, const Lines& lines) {
    if (first_line_ == 0) {
      first_line_ = lines.number();
      all_ = labelled;
    }
    if (labelled != all_)
      lines.wrong("has ", labelled ? "a label" : "no label (-1)", ", but line ", first_line_, " has ",
                  all_ ? "one" : "none (-1)", "; expected labels on all lines or on none");
  }
  bool all() const { return all_; }

 private:
  int64_t first_line_ = 0;
  bool all_ = false;
};

}  // namespace

Dataset read_tsv(const std::filesystem::path& path, const ReadOptions& options) {
  Lines lines(path, Lines::Of::records, "one example per line");
  std::string_view line;
  CHECK(lines.next(line), path.string(), ": is empty; expected a header line naming the columns sentence and label");
  Columns columns = read_header(line, lines, options.labels);
  if (options.labels == Labels::ignored) columns.label.reset();

  Dataset dataset{path, {}, columns.second.has_value(), false};
  Labelled labelled;
  std::vector<std::string_view> fields;
  while (lines.next(line)) {
    split(line, fields);
    if (fields.size() != columns.count)
      lines.wrong("found ", fields.size(), " columns; expected ", columns.count,
                  " as in the header: text must hold no tab or line break");
    Example example;
    example.first = fields[*columns.first];
    if (columns.second) example.second = fields[*columns.second];
    if (columns.label) {
      Label label = read_label(options, fields[*columns.label], lines);
      labelled.check(label.number >= 0, lines);
      example.label = label.number;
      example.values = std::move(label.values);
    }
    dataset.examples.push_back(std::move(example));
  }
  CHECK(!dataset.examples.empty(), path.string(), ": holds a header but no examples; expected one example per line");
  dataset.labelled = labelled.all();
  return dataset;
}

void write_tsv(const std::filesystem::path& path, const Dataset& dataset) {
  std::string text = "sentence";
  if (dataset.pairs) text += "\tsentence2";
  if (dataset.labelled) text += "\tlabel";
  text += '\n';
  const auto add = [&](const char* separator, const std::string& field) {
    CHECK(field.find_first_of(std::string_view("\t\r\n\0", 4)) == std::string::npos, path.string(), ": cannot hold ",
          quoted(field), "; expected text without tab, line break and NUL");
    text.append(separator).append(field);
  };
  for (const Example& example : dataset.examples) {
    CHECK(dataset.pairs || dataset.labelled || !example.first.empty(), path.string(),
          ": cannot hold an empty text as its only column, which would be a blank line");
    add("", example.first);
    if (dataset.pairs) add("\t", example.second);
    if (dataset.labelled) text += '\t' + std::to_string(example.label);
    text += '\n';
  }
  write_file(path, text);
}

}  // namespace espalier
