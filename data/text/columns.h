// SPDX-License-Identifier: Apache-2.0
// Which columns of a table hold text and label. Used by data/text/examples.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "data/text/table.h"

namespace espalier {

struct Columns {
  size_t first = 0;
  std::optional<size_t> second, label;
  std::string note;  // "text from 'premise' and 'hypothesis', …; skipped: 'index'"; empty where names and columns are
                     // sentence, sentence2 and label alone
};

// The columns that the options name, else those whose names are usual, such as GLUE's; capital letters do not matter
// then. A column pair is taken before a column alone: question and sentence are a pair. Throws Error, with the columns
// that there are, where none is found, where several would do, and for a name that stands there twice. A label need not
// be there unless `needs_label`.
Columns choose_columns(const Table& table, const TableOptions& options, bool needs_label);

}  // namespace espalier
