// SPDX-License-Identifier: Apache-2.0
// How a dataset names its classes: labels.txt beside it, or what stands in its label column. Used for new heads, and to
// notice where numbers mean other classes than the model's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/text/table.h"
#include "nn/label.h"

namespace espalier {

// The lines of labels.txt in that folder, class 0 first; empty where there is no such file. Throws Error, with the
// line, for a blank or repeated name, and for fewer than two.
std::vector<std::string> read_class_names(const std::filesystem::path& folder);

bool equal_names(const std::string& a, const std::string& b);  // of classes: capital letters do not matter

struct ClassNames {
  std::vector<std::string> names;
  std::string from;  // "from DATA/labels.txt", "numbers in the data" or "words in the data"
};
// The labels of a new head, from labels.txt beside the training file or else from its label column. Throws Error, with
// the line, for labels of another form.
// One class: the numbers 0 … largest are LABEL_0 …; without a 0, the numbers name themselves in their order; words
// are classes in alphabetical order. No classes are negative numbers, numbers with a decimal point, numbers beside
// words, more than 1,000 different words, a single one.
// Any number of classes: the names in the lists, in the same order; 0 or 1 for each class: LABEL_0 …
// Numbers: as many as the first label has, LABEL_0 …
ClassNames find_class_names(LabelForm form, const std::filesystem::path& train, const TableOptions& table = {});

}  // namespace espalier
