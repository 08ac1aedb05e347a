// SPDX-License-Identifier: Apache-2.0
// The options of all programs that read labelled text from files.
#pragma once

#include <functional>
#include <string>

#include "core/options.h"
#include "data/text/table.h"

namespace espalier {

// --format, --text-column, --pair-column, --label-column, --data-memory. They are refused, with `why`, unless `used`.
void declare_text_columns(Options& rows, TableOptions& table);  // of a file without labels
void declare_table(Options& rows, TableOptions& table, const std::function<bool()>& used = {},
                   const std::string& why = {});

}  // namespace espalier
