// SPDX-License-Identifier: Apache-2.0
// metrics.jsonl: one JSON object for each training step and each evaluation, in --log-dir.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

namespace espalier {

class RunLog {
 public:
  RunLog() = default;  // writes nothing
  // Appends to folder/metrics.jsonl, made if missing. What an earlier run wrote beyond `step` is dropped, so that a
  // resumed run's log has each step once; step 0 starts the file anew.
  RunLog(const std::filesystem::path& folder, int64_t step);
  void write(const nlohmann::json& object);

 private:
  std::filesystem::path path_;
  std::ofstream out_;
};

}  // namespace espalier
