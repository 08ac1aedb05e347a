// SPDX-License-Identifier: Apache-2.0
// A run that is stopped or killed anywhere and resumed ends with the very files of one that was left alone.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

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

  void expect_same_files() const {
    for (const char* name : {"/m.h5", "/m.state.h5"}) {
      ASSERT_FALSE(bytes("whole" + std::string(name)).empty()) << name;
      EXPECT_TRUE(bytes("whole" + std::string(name)) == bytes("parts" + std::string(name))) << name << " differs";
    }
    EXPECT_EQ(without_times(bytes("parts/metrics.jsonl")), without_times(bytes("whole/metrics.jsonl")));
    EXPECT_FALSE(exists("parts/m.h5.part") || exists("parts/m.state.h5.part") || exists("parts/metrics.jsonl.part"));
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
  EXPECT_GT(Checkpoint(*this / "parts/m.state.h5").state().step, 3);
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
  succeed(parts);  // nothing is left to do
  expect_same_files();
  const auto result = objects_of(succeed(parts + " --json").out);
  ASSERT_EQ(result.size(), 1U);
  EXPECT_EQ(result[0]["steps"], 20);
  EXPECT_GT(result[0]["eval_accuracy"], 0);
}

// A limit on the size of files kills the program in the middle of writing its state, which is the largest.
TEST_F(Resume, KilledWhileSavingLeavesTheOldState) {
  const Options options = options_of("whole");
  succeed(train(options));
  const std::string parts = train(options_of("parts"), true);
  const Around small = {.largest_file = bytes("whole/m.state.h5").size() / 2, .killed_at_limit = true};
  ASSERT_GT(small.largest_file, bytes("whole/m.h5").size());

  EXPECT_EQ(run(parts, small).signal, SIGXFSZ);
  EXPECT_FALSE(exists("parts/m.state.h5"));
  const Result stopped = stop(parts, 4, SIGINT);
  if (was_over(stopped)) GTEST_SKIP() << "the run was over before the signal came";
  ASSERT_EQ(stopped.exit_code, 128 + SIGINT) << stopped.err;
  const std::string saved = bytes("parts/m.state.h5");
  EXPECT_EQ(run(parts, small).signal, SIGXFSZ);
  EXPECT_TRUE(exists("parts/m.state.h5.part"));
  EXPECT_TRUE(bytes("parts/m.state.h5") == saved);
  succeed(parts);
  expect_same_files();
}

TEST_F(Resume, FullDiskIsAFailureThatLeavesFilesAlone) {
  Options options = options_of("parts");
  succeed(train(options));
  const std::string output = bytes("parts/m.h5"), state = bytes("parts/m.state.h5");
  expect_refused(train(options), {"parts/m.state.h5"}, {.largest_file = state.size() / 2}, 1);
  expect_refused(train(options), {"parts/metrics.jsonl: writing failed"}, {.largest_file = 100}, 1);
  options.erase("save-every");
  expect_refused(train(options), {"parts/m.h5"}, {.largest_file = output.size() / 2}, 1);
  EXPECT_TRUE(bytes("parts/m.h5") == output);
  EXPECT_TRUE(bytes("parts/m.state.h5") == state);
  EXPECT_FALSE(exists("parts/m.h5.part") || exists("parts/m.state.h5.part"));
}

TEST_F(Resume, OtherOptionsAreRefused) {
  Options options = options_of("parts");
  options["max-steps"] = "1";
  succeed(train(options));
  const std::string saved = bytes("parts/m.state.h5"), log = bytes("parts/metrics.jsonl");
  std::filesystem::copy(*this / "data", *this / "other");
  write_bytes(*this / "other.txt", bytes("vocab.txt"));
  const Options changed = {{"model", "parts/m.h5"},   {"data", "other"},     {"vocab", "other.txt"}, {"epochs", "5"},
                           {"batch-size", "4"},       {"accumulate", "1"},   {"dropout", "0.1"},     {"seed", "8"},
                           {"learning-rate", "1e-4"}, {"precision", "bf16"}, {"warmup", "0.5"},      {"max-steps", "2"},
                           {"schedule", "cosine"},    {"max-length", "64"},  {"shuffle", "false"},   {"labels", "a,b"},
                           {"weight-decay", "0.1"},   {"max-grad-norm", "2"}};
  for (const auto& [name, value] : changed) {
    Options other = options;
    other[name] = value;
    if (name == "model") other.erase("vocab");
    expect_refused(train(other, true), {"parts/m.state.h5: --" + name + " was ", " and is now ", "resume with"});
  }
  options["threads"] = "1";
  options["save-every"] = "1";
  succeed(train(options, true));  // these change no result
  EXPECT_TRUE(bytes("parts/m.state.h5") == saved);
  EXPECT_EQ(bytes("parts/metrics.jsonl"), log);

  write_bytes(*this / "parts/m.state.h5", saved.substr(0, saved.size() / 2));
  expect_refused(train(options, true), {"parts/m.state.h5"});
  std::filesystem::copy_file(*this / "parts/m.h5", *this / "parts/m.state.h5",
                             std::filesystem::copy_options::overwrite_existing);
  expect_refused(train(options, true), {"parts/m.state.h5: has no "});
}

TEST_F(Resume, WithoutAStateItStartsAndSaysSo) {
  Options options = options_of("parts");
  options["max-steps"] = "1";
  options.erase("quiet");
  expect_in(succeed(train(options, true)).out, "resume: there is no parts/m.state.h5 yet, starting from the beginning");
  expect_in(succeed(train(options, true)).out, "resume: from step 1 of parts/m.state.h5");
}

}  // namespace
}  // namespace espalier
