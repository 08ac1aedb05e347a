// SPDX-License-Identifier: Apache-2.0
// A run that is stopped or killed anywhere and resumed ends with the very files of one that was left alone.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "data/models/checkpoint.h"
#include "tests/reliability/files.h"

namespace espalier {
namespace {

// Four epochs of five steps: nine batches, two to a step; the last step has one, and that one is short.
Options options_of(const std::string& folder, const std::string& precision = "f32") {
  return {{"model", "random:tiny"}, {"vocab", "vocab.txt"},    {"data", "data"},    {"output", folder + "/m.h5"},
          {"log-dir", folder},      {"epochs", "4"},           {"batch-size", "8"}, {"accumulate", "2"},
          {"dropout", "0.2"},       {"learning-rate", "1e-3"}, {"seed", "7"},       {"save-every", "3"},
          {"precision", precision}, {"evaluate-every", "3"},   {"threads", "2"},    {"quiet", ""}};
}

class Resume : public Programs {
 protected:
  Resume() {
    std::filesystem::create_directory(*this / "whole");
    std::filesystem::create_directory(*this / "parts");
  }

  static std::string train(const Options& options, bool resume = false) {
    return command_line("train_sst2", options) + (resume ? " --resume" : "");
  }

  // Starts the command and sends the signal as soon as its own metrics.jsonl has so many lines.
  Result stop(const std::string& command, size_t lines, int signal) const {
    const auto log = *this / "parts/metrics.jsonl";
    const auto inode = [&] {
      struct stat found {};
      return stat(log.c_str(), &found) == 0 ? found.st_ino : 0;
    };
    const auto before = inode();  // a start replaces the file
    Process process(folder_.path(), command);
    while (process.runs()) {
      if (inode() != before && lines_of(read_bytes(log)).size() >= lines) {
        process.send(signal);
        break;
      }
      usleep(300);
    }
    return process.wait();
  }

  static bool was_over(const Result& run) { return run.exit_code == 0 && run.signal == 0; }

  std::string files_in(const std::string& folder) const {
    std::set<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(*this / folder))
      names.insert(entry.path().filename().string());
    std::string all;
    for (const std::string& name : names) all += name + " ";
    return all;
  }

  void expect_same_files() const {
    ASSERT_FALSE(bytes("whole/m.h5").empty());
    EXPECT_TRUE(bytes("whole/m.h5") == bytes("parts/m.h5"));
    EXPECT_EQ(without_times(bytes("parts/metrics.jsonl")), without_times(bytes("whole/metrics.jsonl")));
    for (const char* folder : {"whole", "parts"}) EXPECT_EQ(files_in(folder), "m.h5 metrics.jsonl ");
  }
};

class ResumeIn : public Resume, public testing::WithParamInterface<const char*> {};

TEST_P(ResumeIn, SameBitsAfterManyStops) {
  succeed(train(options_of("whole", GetParam())));
  const std::string parts = train(options_of("parts", GetParam()), true);
  // 29 lines: five steps and an evaluation, four times, and five evaluations between. Killed before the first save,
  // between saves, at the end of an epoch, in the next one; or told to stop, which saves.
  const struct {
    size_t lines;
    int signal;
  } stops[] = {{1, SIGKILL}, {4, SIGINT}, {5, SIGKILL}, {6, SIGINT}, {8, SIGKILL}, {11, SIGTERM}, {14, SIGKILL}};
  for (const auto& [lines, signal] : stops) {
    const Result stopped = stop(parts, lines, signal);
    if (was_over(stopped)) break;  // on a busy machine the run may end before the signal comes
    if (signal == SIGKILL)
      ASSERT_EQ(stopped.signal, SIGKILL) << "after line " << lines << ", exit code " << stopped.exit_code;
    else
      ASSERT_EQ(stopped.exit_code, 128 + signal) << stopped.err;
  }
  if (exists("parts/m.state.h5")) {  // else it has ended
    EXPECT_GT(Checkpoint(*this / "parts/m.state.h5").state().step, 3);
  }
  succeed(parts);
  expect_same_files();

  std::vector<int64_t> steps, evaluations;
  for (const auto& line : objects_of(bytes("parts/metrics.jsonl")))
    (line.contains("eval_loss") ? evaluations : steps).push_back(line["step"].get<int64_t>());
  ASSERT_EQ(steps.size(), 20U);
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i], static_cast<int64_t>(i) + 1);
  EXPECT_EQ(evaluations, (std::vector<int64_t>{3, 5, 6, 9, 10, 12, 15, 18, 20}));
}

INSTANTIATE_TEST_SUITE_P(Precision, ResumeIn, testing::Values("f32", "bf16"),
                         [](const auto& p) { return std::string(p.param); });

TEST_F(Resume, StopBeforeTheFirstStepAndResumeAfterTheEnd) {
  succeed(train(options_of("whole")));
  const std::string parts = train(options_of("parts"), true);
  {
    Process process(folder_.path(), parts);
    while (process.runs() && !exists("parts/metrics.jsonl")) usleep(300);
    process.send(SIGTERM);
    const Result stopped = process.wait();
    EXPECT_TRUE(was_over(stopped) || stopped.exit_code == 128 + SIGTERM) << stopped.exit_code << ' ' << stopped.err;
  }
  succeed(parts);
  expect_in(succeed(parts).err, "since this run has ended; its best checkpoint is in parts/m.h5");
  expect_same_files();
  const auto result = objects_of(succeed(parts + " --json").out);
  ASSERT_EQ(result.size(), 1U);
  EXPECT_EQ(result[0]["was_over"], true);
  expect_same_files();
}

// A limit on the size of files kills the program in the middle of writing its state, which is the largest.
TEST_F(Resume, KilledWhileSavingLeavesTheOldState) {
  const Options options = options_of("whole");
  succeed(train(options));
  const std::string parts = train(options_of("parts"), true);
  const Around small = {.largest_file = bytes("whole/m.h5").size() * 3 / 2, .killed_at_limit = true};  // half a state

  EXPECT_EQ(run(parts, small).signal, SIGKILL);
  EXPECT_FALSE(exists("parts/m.state.h5"));
  const Result stopped = stop(parts, 4, SIGINT);
  if (was_over(stopped)) GTEST_SKIP() << "the run was over before the signal came";
  ASSERT_EQ(stopped.exit_code, 128 + SIGINT) << stopped.err;
  const std::string saved = bytes("parts/m.state.h5");
  EXPECT_EQ(run(parts, small).signal, SIGKILL);
  expect_in(files_in("parts"), ".part ");
  EXPECT_TRUE(bytes("parts/m.state.h5") == saved);
  succeed(parts);
  expect_same_files();
}

TEST_F(Resume, FullDiskIsAFailureThatLeavesFilesAlone) {
  Options options = options_of("parts");
  options["overwrite"] = "";
  succeed(train(options));
  const std::string output = bytes("parts/m.h5");
  expect_refused(train(options), {"parts/m.state.h5"}, {.largest_file = output.size() * 3 / 2}, 1);
  expect_refused(train(options), {"parts/metrics.jsonl: writing failed"}, {.largest_file = 100}, 1);
  options.erase("save-every");
  expect_refused(train(options), {"parts/m.h5"}, {.largest_file = output.size() / 2}, 1);
  EXPECT_TRUE(bytes("parts/m.h5") == output);
  EXPECT_EQ(files_in("parts"), "m.h5 metrics.jsonl ");
}

TEST_F(Resume, WithoutAStateItStartsAndSaysSo) {
  Options options = options_of("parts");
  options["max-steps"] = "1";
  options.erase("quiet");
  expect_in(succeed(train(options, true)).out, "resume: there is no parts/m.state.h5 yet, starting from the beginning");
  EXPECT_EQ(files_in("parts"), "m.h5 metrics.jsonl ");
}

}  // namespace
}  // namespace espalier
