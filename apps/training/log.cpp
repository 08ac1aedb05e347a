// SPDX-License-Identifier: Apache-2.0
#include "apps/training/log.h"

#include <chrono>
#include <sstream>
#include <string>

#include "apps/training/event_file.h"
#include "apps/training/output.h"
#include "core/check.h"
#include "core/disk_error.h"
#include "data/files/atomic_file.h"

namespace espalier {
namespace {

const char* const of_evaluation = "eval_";

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

// eval/accuracy and train/grad_norm, as TensorBoard groups them. An evaluation's epoch is in its training step.
Scalars scalars_of(const Record& object) {
  const bool evaluation = object.has("eval_loss");
  Scalars scalars;
  for (const std::string& name : object.names())
    if (name.starts_with(of_evaluation))
      scalars.emplace_back("eval/" + name.substr(5), object.at(name).number());
    else if (name != "step" && !evaluation)
      scalars.emplace_back("train/" + name, object.at(name).number());
  return scalars;
}

// Where the run that goes on stands.
struct Reached {
  int64_t step, evaluated_step;
};

// The last line of a run that was killed may be cut off.
std::string kept_lines(std::istream& in, const Reached& reached) {
  std::string kept;
  for (std::string line; std::getline(in, line);) try {
      const Record object = Record::parse(line, "");
      const int64_t last = object.has("eval_loss") ? reached.evaluated_step : reached.step;
      if (object.integer("step", last + 1) <= last) kept += line + '\n';
    } catch (const Error&) { continue; }
  return kept;
}

std::string kept_events(std::istream& in, const Reached& reached) {
  std::ostringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  std::string kept;
  std::string_view rest = text;
  for (EventRecord event; take_event(rest, event);)
    if (event.step <= (event.tag.starts_with("eval/") ? reached.evaluated_step : reached.step)) kept += event.bytes;
  return kept;
}

}  // namespace

RunLog::RunLog(const LogOptions& options, int64_t step, int64_t evaluated_step, bool overwrite) {
  const std::filesystem::path folder = options.folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) refuse_writing(folder.string() + ": the log folder cannot be made", error.value());
  if (options.format != LogFormat::tensorboard) parts_.push_back({.path = folder / "metrics.jsonl", .events = false});
  if (options.format != LogFormat::jsonl)
    parts_.push_back({.path = folder / "events.out.tfevents.espalier", .events = true});
  for (Part& part : parts_) {
    part.lock = FileLock(part.path);
    if (step == 0) announce_replaced(part.path, overwrite, Written::text);
    std::string kept;
    if (std::ifstream in(part.path); step > 0)
      kept = part.events ? kept_events(in, {step, evaluated_step}) : kept_lines(in, {step, evaluated_step});
    if (part.events && kept.empty()) kept = event_file_begin(now());
    write_file(part.path, kept);
    part.out.open(part.path, std::ios::app | std::ios::binary);
    CHECK(part.out.good(), part.path.string(), ": cannot be written; choose another --log-dir");
  }
}

void RunLog::write(const Record& object) {
  for (Part& part : parts_) {
    if (part.events)
      part.out << event_record(now(), object.integer("step", 0), scalars_of(object));
    else
      part.out << object.text() << '\n';
    part.out << std::flush;
    if (!part.out.good()) throw Failure(part.path.string() + ": writing failed; is the disk full?");
  }
}

}  // namespace espalier
