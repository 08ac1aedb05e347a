// SPDX-License-Identifier: Apache-2.0
// How a dataset names its classes: labels.txt beside it, or what stands in its label column. Used for new heads, and to
// notice where numbers mean other classes than the model's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace espalier {

// The lines of labels.txt in that folder, class 0 first; empty where there is no such file. Throws Error, with the
// line, for a blank or repeated name, and for fewer than two.
std::vector<std::string> read_class_names(const std::filesystem::path& folder);

bool equal_names(const std::string& a, const std::string& b);  // of classes: capital letters do not matter

struct ClassNames {
  std::vector<std::string> names;
  std::string from;  // "from DATA/labels.txt", "numbers in the data" or "words in the data"
};
// For a classifier of train.tsv and dev.tsv: labels.txt, else LABEL_0, LABEL_1, … up to the largest number in the label
// column and at least two, else the words there in alphabetical order. Throws Error for labels that are no classes: a
// negative number, one with a decimal point, more than 1,000 different words, a single word.
ClassNames find_class_names(const std::filesystem::path& folder);

}  // namespace espalier
