// SPDX-License-Identifier: Apache-2.0
// The log of a run in --log-dir: each training step and each evaluation, as a JSON object in metrics.jsonl, in an event
// file for TensorBoard, or both.
#pragma once

#include <filesystem>
#include <fstream>
#include <vector>

#include "apps/training/options.h"
#include "core/record.h"
#include "data/files/file_lock.h"

namespace espalier {

class RunLog {
 public:
  RunLog() = default;  // writes nothing
  // Appends to the files in the folder, made if missing. What an earlier run wrote beyond its last saved step, and
  // evaluations beyond the last one that was saved, are dropped, so that a resumed run's log has each once; step 0
  // starts the files anew, which is announced unless `overwrite`. Locked: a second run refuses.
  RunLog(const LogOptions& options, int64_t step, int64_t evaluated_step, bool overwrite = true);
  // An evaluation has the field eval_loss; both have step. Flushed.
  void write(const Record& object);

 private:
  struct Part {
    std::filesystem::path path;
    bool events;  // else JSON lines
    FileLock lock = {};
    std::ofstream out = {};
  };
  std::vector<Part> parts_;
};

}  // namespace espalier
