// SPDX-License-Identifier: Apache-2.0
// Finding SST-2, or what stands in for it.
#pragma once

#include <filesystem>
#include <string>

namespace espalier {

// The folder with train.tsv and dev.tsv: `wanted` if it is not empty, else $ESPALIER_DATA, else runs/data/sst2 if
// it is there, else runs/data/demo, where the built-in synthetic corpus is written first. `note` says what was chosen.
struct DataFolder {
  std::filesystem::path path;
  std::string note;
};
DataFolder find_data(const std::string& wanted);

}  // namespace espalier
