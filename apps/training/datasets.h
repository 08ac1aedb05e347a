// SPDX-License-Identifier: Apache-2.0
// Finding SST-2, or what stands in for it.
#pragma once

#include <filesystem>
#include <string>

namespace espalier {

// The folder with train.tsv and dev.tsv: `wanted` if it is not empty, else $ESPALIER_DATA, else runs/data/sst2 if
// it is there, else runs/data/demo, where the built-in synthetic corpus is written first. `note` says what was chosen.
// Without `may_write` it throws where the corpus would have to be written.
struct DataFolder {
  std::filesystem::path path;
  std::string note;
};
std::string data_of_environment();  // $ESPALIER_DATA; empty: not set
DataFolder find_data(const std::string& wanted, bool may_write = true);

}  // namespace espalier
