// SPDX-License-Identifier: Apache-2.0
#include "apps/training/log.h"

#include <string>

#include "apps/training/output.h"
#include "core/check.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

// Whether the run that goes on has already been at this line. The last line of a run that was killed may be cut off.
bool is_before(const std::string& line, int64_t step, int64_t evaluated_step) {
  try {
    const Record object = Record::parse(line, "");
    const int64_t last = object.has("eval_loss") ? evaluated_step : step;
    return object.integer("step", last + 1) <= last;
  } catch (const Error&) { return false; }
}

}  // namespace

RunLog::RunLog(const std::filesystem::path& folder, int64_t step, int64_t evaluated_step, bool overwrite)
    : path_(folder / "metrics.jsonl") {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  CHECK(!error, folder.string(), ": the log folder cannot be made: ", error.message());
  lock_ = FileLock(path_);
  if (step == 0) announce_replaced(path_, overwrite, Written::text);
  std::string kept;
  if (step > 0) {
    std::ifstream in(path_);
    for (std::string line; std::getline(in, line);)
      if (is_before(line, step, evaluated_step)) kept += line + '\n';
  }
  write_file(path_, kept);
  out_.open(path_, std::ios::app);
  CHECK(out_.good(), path_.string(), ": cannot be written; choose another --log-dir");
}

void RunLog::write(const Record& object) {
  if (!out_.is_open()) return;
  out_ << object.text() << '\n' << std::flush;
  if (!out_.good()) throw Failure(path_.string() + ": writing failed; is the disk full?");
}

}  // namespace espalier
