// SPDX-License-Identifier: Apache-2.0
// Training over ranks: any number of them gives the files of one process, with dropout and every compression, and after
// a stop that another number of ranks goes on from.
#include <unistd.h>

#include <csignal>

#include "tests/apps/mpirun.h"
#include "tests/reliability/files.h"

namespace espalier {
namespace {

struct Recipe {
  std::string name, program;
  Options options;
  std::vector<int> ranks;
};

// 40 steps: nine batches an epoch, the last one short, so that some micro-batches are empty.
Options options_of(const Recipe& recipe, const std::string& folder) {
  Options options = {{"data", "data"},
                     {"output", folder + "/m.h5"},
                     {"log-dir", folder},
                     {"epochs", "10"},
                     {"max-steps", "40"},
                     {"batch-size", "8"},
                     {"dropout", "0.1"},
                     {"learning-rate", "1e-3"},
                     {"evaluate-every", "10"},
                     {"threads", "1"},
                     {"quiet", ""},
                     {"seed", "3"}};
  if (recipe.program == "train") options.insert({{"model", "random:tiny"}, {"vocab", "vocab.txt"}});
  for (const auto& [name, value] : recipe.options) options[name] = value;
  return options;
}

class RanksTraining : public Mpirun, public testing::WithParamInterface<Recipe> {
 protected:
  RanksTraining() {
    for (const char* folder : {"one", "many"}) std::filesystem::create_directory(*this / folder);
  }
  void SetUp() override {
    Mpirun::SetUp();
    if (IsSkipped()) return;
    ASSERT_EQ(
        succeed("train --model random:tiny --vocab vocab.txt --data data --output teacher.h5 --max-steps 2 --quiet")
            .exit_code,
        0);
  }
  std::string command(const Recipe& recipe, const std::string& folder) const {
    return command_line(recipe.program, options_of(recipe, folder));
  }
};

TEST_P(RanksTraining, GivesTheFilesOfOneProcess) {
  succeed(command(GetParam(), "one") + " --micro-batches 8");
  const Files expected = files_in(*this / "one");
  for (const int ranks : GetParam().ranks) {
    const Result result = run_ranks(ranks, command(GetParam(), "many"));
    ASSERT_EQ(result.exit_code, 0) << result.err;
    expect_same(files_in(*this / "many"), expected, std::to_string(ranks) + " ranks");
    for (const auto& [name, bytes] : expected) std::filesystem::remove_all(*this / "many" / name);
  }
}

const Options pruned = {
    {"prune.amount", "0.5"}, {"prune.schedule", "cubic"}, {"prune.begin", "4"}, {"prune.end", "12"}};

Options with(Options all, const Options& more) {
  all.insert(more.begin(), more.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(
    Recipes, RanksTraining,
    testing::Values(
        Recipe{"everything",
               "train",
               with(pruned, {{"qat.on", ""}, {"distill.teacher", "teacher.h5"}, {"accumulate", "2"}, {"ema", "0.9"}}),
               {1, 2, 4}},
        Recipe{"movement_bf16", "train", with(pruned, {{"prune.method", "movement"}, {"gradient-dtype", "bf16"}}), {3}},
        Recipe{
            "learned_scales_lamb", "train", {{"qat.on", ""}, {"qat.learned", "true"}, {"optimizer", "lamb"}}, {2, 8}},
        Recipe{"distilled",
               "distill",
               {{"teacher", "teacher.h5"}, {"student-layers", "0"}, {"hidden-weight", "1"}, {"relation-weight", "1"}},
               {2}}),
    [](const auto& row) { return row.param.name; });

class RanksResume : public RanksTraining {};

// Stopped by a signal between two steps, and killed anywhere.
TEST_P(RanksResume, GoesOnWithAnotherNumberOfRanks) {
  succeed(command(GetParam(), "one") + " --micro-batches 8 --save-every 3");
  const Files expected = files_in(*this / "one");
  const std::vector<int> starts = {2, 1, 3};
  for (size_t i = 0; i < starts.size(); ++i) {
    Process process(folder_.path(), start(starts[i], command(GetParam(), "many") + " --save-every 3 --resume"),
                    surroundings());
    const size_t lines = 8 * (i + 1);
    while (process.runs() && lines_of(read_bytes(*this / "many/metrics.jsonl")).size() < lines) usleep(1000);
    process.send(i == 0 ? SIGUSR1 : SIGKILL);
    process.wait();
  }
  // mpirun that is killed leaves its processes to end by themselves.
  for (int i = 0; i < 600; ++i) {
    const Result last = run(command(GetParam(), "many") + " --save-every 3 --resume");
    if (last.exit_code == 0) break;
    usleep(100'000);
  }
  expect_same(files_in(*this / "many"), expected, "stops");
}

INSTANTIATE_TEST_SUITE_P(
    Recipes, RanksResume,
    testing::Values(Recipe{
        "everything", "train", with(pruned, {{"qat.on", ""}, {"distill.teacher", "teacher.h5"}}), {}}),
    [](const auto& row) { return row.param.name; });

}  // namespace
}  // namespace espalier
