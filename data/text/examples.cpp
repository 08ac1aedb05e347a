// SPDX-License-Identifier: Apache-2.0
#include "data/text/examples.h"

#include "core/check.h"

namespace espalier {

ExampleReader::ExampleReader(const std::filesystem::path& path, const ReadOptions& options)
    : path_(path),
      options_(options),
      table_(path, options.table.format),
      columns_(choose_columns(table_, options.table, options.labels == Labels::required)) {
  if (options.labels == Labels::ignored) columns_.label.reset();
  std::vector<size_t> used = {columns_.first};
  if (columns_.second) used.push_back(*columns_.second);
  if (columns_.label) used.push_back(*columns_.label);
  table_.use(std::move(used), options.lists);
}

bool ExampleReader::next(Example& example) {
  if (!table_.next(fields_)) {
    CHECK(first_line_ > 0, path_.string(), ": holds a header but no examples; expected one example per line");
    return false;
  }
  example.first = fields_[columns_.first];
  example.second = columns_.second ? fields_[*columns_.second] : std::string_view();
  Label label;
  if (columns_.label) label = read_label(fields_[*columns_.label]);
  check_labelled(label.number >= 0);
  example.label = label.number;
  example.values = std::move(label.values);
  return true;
}

// The label of a row; -1 that the task does not know as a label is none.
Label ExampleReader::read_label(std::string_view text) const {
  try {
    return options_.read_label(text);
  } catch (const Error& error) {
    if (text != "-1") table_.wrong(error.what());
    if (options_.labels == Labels::required)
      table_.wrong("label '-1' is none, as in a test split; expected labels here: take a file that has them");
    return {};
  }
}

// Rows with and without labels must not be in one file.
void ExampleReader::check_labelled(bool labelled) {
  if (first_line_ == 0) {
    first_line_ = table_.line();
    labelled_ = labelled;
  }
  if (labelled != labelled_)
    table_.wrong("has ", labelled ? "a label" : "no label (-1)", ", but line ", first_line_, " has ",
                 labelled_ ? "one" : "none (-1)", "; expected labels on all lines or on none");
}

Dataset read_dataset(const std::filesystem::path& path, const ReadOptions& options) {
  ExampleReader reader(path, options);
  Dataset dataset{path, {}, reader.pairs(), false};
  for (Example example; reader.next(example);) dataset.examples.push_back(example);
  dataset.labelled = reader.labelled();
  return dataset;
}

}  // namespace espalier
