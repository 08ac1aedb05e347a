// SPDX-License-Identifier: Apache-2.0
// Documents: plain text, a sentence or paragraph a line, as pre-training reads it. Used by data/corpus/corpus.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/text/examples.h"
#include "data/text/lines.h"

namespace espalier {

struct Document {
  std::vector<std::string> lines;  // none is blank

  int64_t bytes() const;
};

// Whether the file is a table: by --format, else by its name's end (.tsv, .csv, .jsonl, .json, .ndjson).
bool is_table(const std::filesystem::path& path, const TableOptions& table);

// A file as a stream of documents. Plain text is UTF-8, and an empty line ends a document. Of a table each row is a
// document, whose lines are the texts of the columns. One of more than `longest` bytes goes on as another document.
// Throws Error, with path and line, for what Lines and ExampleReader refuse, such as another encoding or a line of more
// than 64 MiB.
class DocumentReader {
 public:
  DocumentReader(const std::filesystem::path& path, const TableOptions& table, int64_t longest);

  bool next(Document& document);                                  // false at the end; a document has at least one line
  int64_t given() const { return lines_ ? lines_->given() : 0; }  // bytes of plain text so far
  std::string note() const { return table_ ? table_->note() : ""; }

 private:
  bool next_row(Document& document);

  std::optional<Lines> lines_;
  std::optional<ExampleReader> table_;
  int64_t longest_;
};

}  // namespace espalier
