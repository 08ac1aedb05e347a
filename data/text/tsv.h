// SPDX-License-Identifier: Apache-2.0
// Writes tab-separated datasets in GLUE's raw form: a header line, one example per line, no quoting.
#pragma once

#include <filesystem>

#include "data/text/dataset.h"

namespace espalier {

// Writes the columns that the dataset has, with class numbers as labels; read_dataset gives the same examples back.
// Throws Error where a text holds a tab, line break or NUL, and as write_file does.
void write_tsv(const std::filesystem::path& path, const Dataset& dataset);

}  // namespace espalier
