// SPDX-License-Identifier: Apache-2.0
// Reads labelled text from files, example by example or all at once. Used by every program that takes --data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/text/columns.h"
#include "data/text/dataset.h"
#include "data/text/table.h"
#include "nn/heads/class_reader.h"

namespace espalier {

enum class Labels { required, if_present, ignored };

struct ReadOptions {
  Labels labels = Labels::required;
  TableOptions table = {};
  ReadLabel read_label = ClassReader(2);  // of the label column; a head has its own
  bool lists = true;                      // whether a label may be a list, in JSON
};

// A file as a stream. Text is kept byte for byte. A label of -1, as in test splits, is none: a file has it on all lines
// or on none, and is refused where labels are required. Throws Error with path and line: what was found, what was
// expected and the remedy.
class ExampleReader {
 public:
  ExampleReader(const std::filesystem::path& path, const ReadOptions& options = {});

  // False at the end, which throws for a file without examples.
  bool next(Example& example);
  bool pairs() const { return columns_.second.has_value(); }
  bool labelled() const { return labelled_; }  // the examples so far
  const std::string& note() const { return columns_.note; }

 private:
  Label read_label(std::string_view text) const;
  void check_labelled(bool labelled);

  std::filesystem::path path_;
  ReadOptions options_;
  Table table_;
  Columns columns_;
  std::vector<std::string_view> fields_;
  int64_t first_line_ = 0;
  bool labelled_ = false;
};

// The whole file.
Dataset read_dataset(const std::filesystem::path& path, const ReadOptions& options = {});

}  // namespace espalier
