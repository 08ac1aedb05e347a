// SPDX-License-Identifier: Apache-2.0
// Runs that do everything are killed at random moments and resumed until they are done: they end with the very files of
// one that was left alone. ESPALIER_KILLS says how many kills (10; the long form is 200), ESPALIER_SEED draws others.
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <iostream>
#include <random>

#include "data/files/atomic_file.h"
#include "tests/reliability/files.h"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

const std::string common =
    " --data data --epochs 3 --batch-size 8 --accumulate 2 --learning-rate 1e-3 --dropout 0.1 --save-every 2"
    " --evaluate-every 4 --threads 2 --prune.amount 0.5 --prune.schedule cubic --prune.interval 2 --qat.on"
    " --qat.begin 5 --qat.embedding-bits 8 --quiet --resume";

// What is killed, in a folder NAME that takes all that it writes.
struct Killed {
  std::string name, command;
};
const Killed runs[] = {
    {"joint",
     "train_sst2 --model teacher.h5 --distill.teacher teacher.h5 --distill.hidden-weight 1 --distill.attention-weight 1"
     " --distill.keep-states --prune.structure neuron --prune.shrink --precision bf16" +
         common},
    {"distilled", "distill --teacher teacher.h5 --student-layers 0 --augment 4 --hidden-weight 1" + common}};

class Crash : public Programs {
 protected:
  Crash() { succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output teacher.h5 --epochs 1"); }

  std::string in(const std::string& folder, const Killed& run) const {
    return run.command + " --output " + folder + "/m.h5 --log-dir " + folder;
  }

  // What a run that was killed was at, by what it has left in its folder.
  std::string phase(const std::string& folder, const std::string& log_before) const {
    for (const auto& entry : std::filesystem::directory_iterator(*this / folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.ends_with(".part") || entry.file_size() == 0) continue;
      return name.starts_with("teacher-") ? "keeping the teacher's answers" : "writing " + temporary_of(name);
    }
    const std::string log = bytes(folder + "/metrics.jsonl");
    if (log == log_before) return "starting";
    const auto lines = objects_of(log.substr(0, log.rfind('\n') + 1));
    if (lines.empty()) return "first step";
    return lines.back().contains("eval_loss") ? "after an evaluation" : "after step " + lines.back()["step"].dump();
  }

  // Starts the command and kills it after so many seconds. Returns whether it was over before.
  bool killed_too_late(const std::string& command, double seconds) const {
    Process process(folder_.path(), command);
    const auto end = Clock::now() + std::chrono::duration<double>(seconds);
    while (Clock::now() < end && process.runs()) usleep(200);
    process.send(SIGKILL);
    const Result result = process.wait();
    if (result.signal == SIGKILL) return false;
    EXPECT_EQ(result.exit_code, 0) << command << "\n" << result.err;
    return true;
  }
};

// Killed where a line of the log or a finished file comes next: after each of them the run has come to another place,
// such as a state that was saved while an evaluation was due.
TEST_F(Crash, KilledBetweenAnyTwoFiles) {
  const int64_t wanted = number_from("ESPALIER_KILLS", 10);
  for (const Killed& run : runs) {
    const auto settings = [&](const std::string& more) {
      return failing_writes({"ESPALIER_FAIL_CALLS=write,rename", "ESPALIER_FAIL_WITH=SIGKILL", more});
    };
    std::filesystem::create_directory(*this / run.name);
    std::filesystem::remove(*this / "calls");
    succeed(in(run.name, run), settings("ESPALIER_FAIL_LOG=" + (*this / "calls").string()));
    const auto calls = std::ssize(lines_of(bytes("calls")));
    const Files expected = files_in(*this / run.name);
    const int64_t stride = std::max<int64_t>(1, calls / wanted);
    for (int64_t at = 1 + calls % stride; at <= calls && !HasFailure(); at += stride) {
      std::filesystem::remove_all(*this / "parts");
      std::filesystem::create_directory(*this / "parts");
      const Result killed = this->run(in("parts", run), settings("ESPALIER_FAIL_AT=" + std::to_string(at)));
      EXPECT_EQ(killed.signal, SIGKILL) << killed.err;
      succeed(in("parts", run));
      expect_same(files_in(*this / "parts"), expected, "a kill at call " + std::to_string(at) + " of " + run.name);
    }
  }
}

TEST_F(Crash, KilledRunsEndWithTheSameFiles) {
  std::mt19937_64 random(static_cast<uint64_t>(number_from("ESPALIER_SEED", 1)));
  const int64_t wanted = number_from("ESPALIER_KILLS", 10);
  int64_t kills = 0;
  std::map<std::string, int64_t> phases;
  std::map<std::string, double> seconds;  // that the run takes alone
  for (const Killed& run : runs) {
    std::filesystem::create_directory(*this / run.name);
    const auto start = Clock::now();
    succeed(in(run.name, run));
    seconds[run.name] = std::chrono::duration<double>(Clock::now() - start).count();
  }
  for (int round = 0; kills < wanted && !HasFailure(); ++round) {
    const Killed& run = runs[round % std::size(runs)];
    std::filesystem::remove_all(*this / "parts");
    std::filesystem::create_directory(*this / "parts");
    for (bool over = false; !over && kills < wanted && !HasFailure();) {
      const double delay = seconds[run.name] * static_cast<double>(random() >> 11) * 0x1p-53;
      const std::string log = bytes("parts/metrics.jsonl");
      over = killed_too_late(in("parts", run), delay);
      if (over) continue;
      ++kills;
      ++phases[phase("parts", log)];
    }
    succeed(in("parts", run));
    expect_same(files_in(*this / "parts"), files_in(*this / run.name), std::to_string(kills) + " kills");
  }
  std::cout << kills << " kills:\n";
  for (const auto& [name, count] : phases) std::cout << "  " << count << "  " << name << '\n';
}

}  // namespace
}  // namespace espalier
