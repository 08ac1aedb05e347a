// SPDX-License-Identifier: Apache-2.0
// train: layer-wise rates, freezing, the average of the weights, early stopping, last checkpoints, several seeds and
// dry runs do what they say, together, with any number of threads and after any stop.
#include <algorithm>
#include <csignal>
#include <set>

#include "data/models/checkpoint.h"
#include "nn/bert.h"
#include "tests/reliability/files.h"

namespace espalier {
namespace {

class Habits : public Programs {
 protected:
  Options options_ = {{"model", "random:tiny"}, {"vocab", "vocab.txt"}, {"data", "data"},     {"output", "m.h5"},
                      {"batch-size", "8"},      {"epochs", "3"},        {"seed", "5"},        {"learning-rate", "1e-3"},
                      {"threads", "2"},         {"quiet", ""},          {"precision", "f32"}, {"evaluate-every", "3"}};

  std::string train(const Options& changes = {}) const {
    Options options = changes;
    options.insert(options_.begin(), options_.end());
    return command_line("train", options);
  }

  std::map<std::string, std::vector<float>> weights(const std::string& file) const {
    const Checkpoint checkpoint(*this / file);
    std::map<std::string, std::vector<float>> all;
    ParameterStore store;
    const Bert model(store, checkpoint.contents().config);
    checkpoint.load_weights(store);
    for (const Parameter* p : store.all()) {
      const auto values = p->value.span<float>();
      all[p->name] = {values.begin(), values.end()};
    }
    return all;
  }

  // Names of files in the test's folder that begin so.
  std::string files(const std::string& begin) const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      if (const std::string file = entry.path().filename().string(); file.starts_with(begin)) names.push_back(file);
    std::ranges::sort(names);
    std::string all;
    for (const std::string& file : names) all += file + ' ';
    return all;
  }
};

const Options everything = {{"ema", "0.8"},        {"layer-decay", "0.7"},
                            {"keep-last", "2"},    {"freeze", "bert.embeddings.* *.layer.0.output.dense.weight"},
                            {"patience", "4"},     {"min-improvement", "0.001"},
                            {"save-every", "2"},   {"dropout", "0.1"},
                            {"log-format", "both"}};

TEST_F(Habits, TheGeneralTrainerNeedsData) {
  options_.erase("data");
  expect_refused(train(), {"--data is missing", "$ESPALIER_DATA"});
  EXPECT_FALSE(exists("runs"));
  succeed(train({{"max-steps", "1"}}), {.environment = {"ESPALIER_DATA=data"}});
  options_["data"] = "data";
  succeed(train({{"output", "a.h5"}}));
  succeed("train_sst2" + train({{"output", "b.h5"}}).substr(5));
  EXPECT_TRUE(bytes("a.h5") == bytes("b.h5")) << "the same program but for the default";
}

TEST_F(Habits, ThreadsDoNotChangeABit) {
  options_.insert(everything.begin(), everything.end());
  for (const std::string threads : {"1", "2", "3"})
    succeed(train({{"threads", threads}, {"output", "m" + threads + ".h5"}, {"log-dir", "log" + threads}}));
  ASSERT_FALSE(bytes("m1.h5").empty());
  EXPECT_TRUE(bytes("m2.h5") == bytes("m1.h5"));
  EXPECT_TRUE(bytes("m3.h5") == bytes("m1.h5"));
}

// Masks, quantization and all of it together: stopped after each few steps.
TEST_F(Habits, ResumesToTheSameBits) {
  options_.insert(everything.begin(), everything.end());
  options_.insert({{"prune.amount", "0.5"}, {"prune.schedule", "cubic"}, {"prune.end", "50%"}, {"qat.on", ""}});
  options_["patience"] = "2";
  std::filesystem::create_directory(*this / "whole");
  std::filesystem::create_directory(*this / "parts");
  succeed(train({{"output", "whole/m.h5"}, {"log-dir", "whole"}}));
  const std::string parts = train({{"output", "parts/m.h5"}, {"log-dir", "parts"}, {"resume", ""}});
  for (size_t lines : {2U, 5U, 9U, 14U, 19U}) {
    Process process(folder_.path(), parts);
    while (process.runs() && lines_of(bytes("parts/metrics.jsonl")).size() < lines) usleep(300);
    process.send(lines % 2 == 0 ? SIGINT : SIGKILL);
    (void)process.wait();
  }
  (void)run(parts);  // it may have ended before
  const Files whole = files_in(*this / "whole"), found = files_in(*this / "parts");
  std::vector<std::string> names;
  for (const auto& [file, content] : whole) {
    names.push_back(file);
    if (!file.ends_with(".h5")) continue;
    EXPECT_TRUE(found.contains(file) && found.at(file) == content) << file;
  }
  EXPECT_EQ(names.size(), 5U) << "m.h5, the last two, two logs";
  EXPECT_EQ(found.size(), whole.size());
  EXPECT_EQ(without_times(bytes("parts/metrics.jsonl")), without_times(bytes("whole/metrics.jsonl")));
}

TEST_F(Habits, FrozenParametersKeepEveryBit) {
  options_["max-steps"] = "1";
  options_["learning-rate"] = "1e-9";
  options_["warmup"] = "0";
  succeed(train({{"output", "start.h5"}}));
  options_["learning-rate"] = "1e-2";
  options_["max-steps"] = "3";
  succeed(train({{"output", "m.h5"}, {"freeze", "bert.embeddings.* bert.encoder.layer.0.*"}}));
  // Nothing but the frozen ones is where the seed put it.
  const auto frozen = weights("m.h5"), start = weights("start.h5");
  for (const auto& [parameter, values] : frozen) {
    const bool kept = parameter.starts_with("bert.embeddings.") || parameter.starts_with("bert.encoder.layer.0.");
    double most = 0;
    for (size_t i = 0; i < values.size(); ++i)
      most = std::max<double>(most, std::abs(values[i] - start.at(parameter)[i]));
    if (kept) {
      EXPECT_LT(most, 1e-7) << parameter;
    } else if (parameter.ends_with("weight")) {
      EXPECT_GT(most, 1e-3) << parameter;
    }
  }
  EXPECT_EQ(frozen.at("bert.embeddings.LayerNorm.weight"), std::vector<float>(128, 1));
}

TEST_F(Habits, WhatHasNoEffectIsRefused) {
  expect_refused(train({{"freeze", "layer.0"}}), {"--freeze: the pattern 'layer.0' matches no parameter"});
  expect_refused(train({{"freeze", "bert.encoder.layer.0.*"},
                        {"prune.amount", "0.5"},
                        {"prune.method", "taylor"},
                        {"prune.begin", "2"}}),
                 {"taylor scores by gradients", "is frozen and has none"});
  expect_refused(train({{"min-improvement", "0.1"}}), {"--min-improvement: is for --patience"});
  expect_refused(train({{"log-format", "both"}}), {"--log-format: is for --log-dir"});
  expect_refused(train({{"layer-decay", "0"}}), {"--layer-decay 0: a number above 0, up to 1, is expected"});
  expect_refused(train({{"ema", "1"}}), {"--ema 1: a number from 0 to below 1 is expected"});
  expect_refused(train({{"seeds", "1,1"}}), {"--seeds 1,1: different seeds are expected"});
  expect_refused(train({{"seeds", "1,2"}}), {"--seed and --seeds: expected one of them"});
  expect_refused(train({{"dry-run", ""}, {"resume", ""}}), {"--dry-run: does not go on from a stopped run"});
}

TEST_F(Habits, PatienceEndsTheRunAndAResumedOneIsLeftAlone) {
  options_["learning-rate"] = "1e-12";  // nothing gets better
  const auto result = objects_of(succeed(train({{"patience", "2"}, {"save-every", "1"}, {"json", ""}})).out);
  ASSERT_EQ(result.size(), 1U);
  EXPECT_EQ(result[0]["best_step"], 3);
  EXPECT_EQ(result[0]["steps"], 9) << "evaluations after 3, 6 and 9 steps";
  EXPECT_EQ(result[0]["stopped_early"], true);
  EXPECT_EQ(files("m."), "m.h5 ");
  expect_in(succeed(train({{"patience", "2"}, {"save-every", "1"}, {"resume", ""}})).err, "this run has ended");
}

TEST_F(Habits, PatienceGoesByTheMetricAndTheLeastImprovement) {
  options_.insert({{"metric", "loss"}, {"log-dir", "log"}, {"overwrite", ""}, {"json", ""}});
  options_["evaluate-every"] = "1";
  succeed(train());
  std::vector<double> losses;  // of all evaluations
  for (const auto& line : objects_of(bytes("log/metrics.jsonl")))
    if (line.contains("eval_loss")) losses.push_back(line["eval_loss"]);
  ASSERT_EQ(losses.size(), 27U);
  std::set<size_t> different;
  for (const double least : {0.0, 0.01, 10.0}) {
    double reference = losses[0];
    size_t steps = 1;
    for (int waited = 0; steps < losses.size() && waited < 5; ++steps) {
      const bool better = losses[steps] + least < reference;
      waited = better ? 0 : waited + 1;
      if (better) reference = losses[steps];
    }
    const auto result =
        objects_of(succeed(train({{"patience", "5"}, {"min-improvement", std::to_string(least)}})).out).at(0);
    EXPECT_EQ(result["steps"], steps) << least;
    EXPECT_EQ(result["eval_loss"], *std::min_element(losses.begin(), losses.begin() + static_cast<int64_t>(steps)));
    different.insert(steps);
  }
  EXPECT_EQ(different.size(), 3U);
}

TEST_F(Habits, TheLastEvaluationsAreKept) {
  options_.erase("quiet");
  const std::string out = succeed(train({{"keep-last", "2"}})).out;
  expect_in(out, "kept: m.step-3.h5\n");
  expect_in(out, "kept: m.step-9.h5; removed: m.step-3.h5\n");
  EXPECT_EQ(files("m."), "m.h5 m.step-24.h5 m.step-27.h5 ");
  EXPECT_EQ(Checkpoint(*this / "m.step-24.h5").contents().options.at("best-step"), 24);
  expect_in(succeed(train({{"keep-last", "2"}})).err, "m.step-24.h5: what is there already will be replaced");
}

TEST_F(Habits, SeedsAreTheRunsThatTheyWouldBeAlone) {
  options_["max-steps"] = "6";
  succeed(train({{"output", "alone.h5"}, {"seed", "7"}}));
  options_.erase("seed");
  const std::string several = train({{"seeds", "5,7"}, {"log-dir", "log"}});
  const std::string out = succeed(several).out;
  EXPECT_TRUE(bytes("m-seed-7.h5") == bytes("alone.h5"));
  EXPECT_TRUE(exists("log/seed-5/metrics.jsonl") && exists("log/seed-7/metrics.jsonl"));
  for (const char* part : {"| seed 5 | seed 7 |   mean | standard deviation |\n", "| accuracy ", "\nbest: m-seed-"})
    expect_in(out, part);
  const auto lines = objects_of(succeed(several + " --json --resume").out);
  ASSERT_EQ(lines.size(), 3U);
  const auto loss = [&](size_t i) { return lines[i]["eval_loss"].get<double>(); };
  EXPECT_EQ(lines[0]["was_over"], true);
  EXPECT_NEAR(lines[2]["eval_loss_mean"].get<double>(), (loss(0) + loss(1)) / 2, 1e-12);
  EXPECT_NEAR(lines[2]["eval_loss_std"].get<double>(), std::abs(loss(0) - loss(1)) / std::sqrt(2), 1e-12);
  EXPECT_EQ(lines[2]["seeds"], (std::vector<int>{5, 7}));
}

TEST_F(Habits, ADryRunTellsAndWritesNothing) {
  const Files before = files_in(folder_.path());
  const std::string out =
      succeed(train({{"dry-run", ""}, {"layer-decay", "0.5"}, {"log-dir", "log"}, {"ema", "0.9"}})).out;
  EXPECT_EQ(files_in(folder_.path()), before);
  for (const char* part :
       {"--layer-decay 0.5", "embeddings ", "70 sentences", "27 of ", "peak memory", "no file was written"})
    expect_in(out, part);
  const auto json = objects_of(succeed(train({{"dry-run", ""}, {"json", ""}})).out);
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["steps"], 27);
  EXPECT_EQ(json[0]["evaluations"], 9);
  EXPECT_EQ(json[0]["groups"].size(), 4U);
  EXPECT_EQ(files_in(folder_.path()), before);
  options_.erase("data");
  expect_refused("train_sst2" + train({{"dry-run", ""}}).substr(5), {"a dry run does not write", "--data"});
  EXPECT_FALSE(exists("runs/data"));
}

TEST_F(Habits, TheAverageIsWhatIsEvaluatedAndSaved) {
  options_["log-dir"] = "log";
  options_["max-steps"] = "6";
  const auto evaluations = [&] {
    std::vector<double> losses;
    for (const auto& line : objects_of(bytes("log/metrics.jsonl")))
      if (line.contains("eval_loss")) losses.push_back(line["eval_loss"]);
    return losses;
  };
  succeed(train({{"output", "plain.h5"}}));
  const std::vector<double> plain = evaluations();
  succeed(train({{"ema", "0.9"}, {"overwrite", ""}}));
  EXPECT_NE(evaluations(), plain);
  const auto again = objects_of(succeed("evaluate --model m.h5 --data data/dev.tsv --json --quiet").out);
  const auto best = Checkpoint(*this / "m.h5").contents().options.at("best-metrics");
  EXPECT_NEAR(again.at(0)["eval_loss"].get<double>(), best.number("loss", 0), 1e-5);
}

}  // namespace
}  // namespace espalier
