// SPDX-License-Identifier: Apache-2.0
// Tables that can be read as they are and pasted into Markdown.
#pragma once

#include <string>
#include <vector>

namespace espalier {

using TableRows = std::vector<std::vector<std::string>>;  // the first one is the head; all are as long

// Lines with their ends. The first column is aligned to the left, the others to the right.
std::string markdown_table(const TableRows& rows);

}  // namespace espalier
