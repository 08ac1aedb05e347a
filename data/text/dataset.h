// SPDX-License-Identifier: Apache-2.0
// Example and Dataset: labelled text in memory, in file order. Made by data/text/tsv and data/text/demo_corpus, read by
// data/text/loader and the programs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier {

struct Example {
  std::string first;               // UTF-8, exactly as in the file
  std::string second;              // empty unless the dataset holds pairs
  int32_t label = -1;              // class 0 … C - 1; -1 where the dataset is unlabelled
  std::vector<float> values = {};  // of the label, see Label
};

struct Dataset {
  std::filesystem::path path;  // where the text came from, for messages
  std::vector<Example> examples;
  bool pairs = false;
  bool labelled = false;
};

}  // namespace espalier
