// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/run_log.h"

#include <string>
#include <vector>

#include "core/check.h"

namespace espalier {

RunLog::RunLog(const std::filesystem::path& folder, int64_t step) : path_(folder / "metrics.jsonl") {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  CHECK(!error, folder.string(), ": the log folder cannot be made: ", error.message());
  std::vector<std::string> kept;
  if (step > 0) {
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);) {
      const auto object = nlohmann::json::parse(line, nullptr, false);
      if (object.is_object() && object.value("step", step + 1) <= step) kept.push_back(line);
    }
  }
  out_.open(path_, std::ios::trunc);
  CHECK(out_.good(), path_.string(), ": cannot be written; choose another --log-dir");
  for (const std::string& line : kept) out_ << line << '\n';
}

void RunLog::write(const nlohmann::json& object) {
  if (!out_.is_open()) return;
  out_ << object.dump() << '\n' << std::flush;
  if (!out_.good()) throw Failure(path_.string() + ": writing failed; is the disk full?");
}

}  // namespace espalier
