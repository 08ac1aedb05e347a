// SPDX-License-Identifier: Apache-2.0
// Finding the files of a dataset: the user's, SST-2, or what stands in for it.
#pragma once

#include <filesystem>
#include <string>

namespace espalier {

struct DataFiles {
  std::filesystem::path train;
  std::filesystem::path dev;  // empty where there is none
  std::string where, note;    // what was named or found; and the same for the log
};

// `wanted` if it is not empty, else $ESPALIER_DATA, else runs/data/sst2 if it is there, else runs/data/demo, where the
// built-in synthetic corpus is written first. A file is the training file. In a folder that is train, and dev,
// validation, valid or dev_matched, each with .tsv, .csv, .jsonl or .json. Throws Error where a folder has several that
// would do; one that has no training file is left to who reads train.tsv. Without `may_write` it throws where the
// corpus would have to be written.
DataFiles find_data(const std::string& wanted, bool may_write = true);
std::string data_of_environment();  // $ESPALIER_DATA; empty: not set

}  // namespace espalier
