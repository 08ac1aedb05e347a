// SPDX-License-Identifier: Apache-2.0
// Reads and writes tab-separated datasets in GLUE's raw form: a header line, one example per line, no quoting. Used by
// every program that takes --data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/text/dataset.h"
#include "nn/heads/class_reader.h"

namespace espalier {

enum class Labels { required, if_present, ignored };

struct ReadOptions {
  Labels labels = Labels::required;
  ReadLabel read_label = ClassReader(2);  // of the column `label`; a head has its own
};

// The header names the columns `sentence`, optionally `sentence2` and `label`, in any order; others are skipped. Text
// is kept byte for byte; lines are what Lines takes for them. A label of -1, as in test splits, is none: a file has it
// on all lines or on none, and is refused where labels are required. Throws Error with path and line: what was found,
// what was expected and the remedy.
Dataset read_tsv(const std::filesystem::path& path, const ReadOptions& options = {});

// Writes the columns that the dataset has, with class numbers as labels; read_tsv gives the same examples back. Throws
// Error where a text holds a tab, line break or NUL, and as write_file does.
void write_tsv(const std::filesystem::path& path, const Dataset& dataset);

}  // namespace espalier
