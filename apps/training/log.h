// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: one JSON object for each training step and each evaluation, in --log-dir.
#pragma once

#include <filesystem>
#include <fstream>

#include "core/record.h"
#include "data/files/file_lock.h"

namespace espalier {

class RunLog {
 public:
  RunLog() = default;  // writes nothing
  // Appends to folder/metrics.jsonl, made if missing. What an earlier run wrote beyond its last saved step, and
  // evaluations beyond the last one that was saved, are dropped, so that a resumed run's log has each once; step 0
  // starts the file anew, which is announced unless `overwrite`. Locked: a second run refuses.
  RunLog(const std::filesystem::path& folder, int64_t step, int64_t evaluated_step, bool overwrite = true);
  void write(const Record& object);

 private:
  std::filesystem::path path_;
  FileLock lock_;
  std::ofstream out_;
};

}  // namespace espalier
