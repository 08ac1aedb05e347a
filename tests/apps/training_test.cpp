// SPDX-License-Identifier: Apache-2.0
// train_sst2: results do not depend on threads, on how a step is cut into batches or on where options come from; its
// log and its checkpoint say all that they should.
#include <cmath>
#include <set>

#include "data/models/checkpoint.h"
#include "optim/schedule.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

class Training : public Programs {
 protected:
  Options options_ = {{"model", "random:tiny"}, {"vocab", "vocab.txt"}, {"data", "data"},     {"output", "m.h5"},
                      {"batch-size", "8"},      {"epochs", "2"},        {"seed", "5"},        {"learning-rate", "1e-3"},
                      {"threads", "2"},         {"quiet", ""},          {"precision", "f32"}, {"log-dir", "log"}};

  std::string train(const Options& changes = {}) const {
    Options options = changes;
    options.insert(options_.begin(), options_.end());
    return command_line("train_sst2", options);
  }

  // The log's lines of training steps, or of evaluations.
  std::vector<nlohmann::json> log(bool evaluations = false) const {
    std::vector<nlohmann::json> lines;
    for (auto& line : objects_of(bytes("log/metrics.jsonl")))
      if (line.contains("eval_loss") == evaluations) lines.push_back(std::move(line));
    return lines;
  }
};

TEST_F(Training, ThreadsDoNotChangeABit) {
  write_bytes(*this / "data/train.tsv", "sentence\tlabel\n" + reviews(300, 3));
  for (const char* precision : {"f32", "bf16"}) {
    options_["precision"] = precision;
    for (const char* threads : {"1", "2", "3"}) {
      const std::string output = std::string("m") + threads + ".h5";
      succeed(train({{"threads", threads}, {"output", output}, {"batch-size", "128"}, {"overwrite", ""}}));
    }
    ASSERT_FALSE(bytes("m1.h5").empty());
    for (const std::string threads : {"2", "3"}) {
      EXPECT_TRUE(bytes("m" + threads + ".h5") == bytes("m1.h5")) << precision << ", threads " << threads;
    }
  }
}

TEST_F(Training, AnotherSeedOrDropoutChangesTheResult) {
  options_["max-steps"] = "2";
  succeed(train());
  const std::string first = bytes("log/metrics.jsonl");
  const auto loss = [&] { return log().back()["loss"].get<double>(); };
  const double before = loss();
  succeed(train());
  EXPECT_EQ(loss(), before);
  for (const Options& change : {Options{{"seed", "6"}}, {{"dropout", "0.4"}}, {{"shuffle", "false"}}}) {
    succeed(train(change));
    EXPECT_NE(loss(), before) << change.begin()->first;
  }
}

TEST_F(Training, GradientCheckpointingDoesNotChangeABit) {
  succeed(train({{"output", "plain.h5"}}));
  const auto plain = log();
  succeed(train({{"output", "saving.h5"}, {"gradient-checkpointing", ""}}));
  const auto saving = log();
  EXPECT_TRUE(bytes("plain.h5") == bytes("saving.h5"));
  ASSERT_EQ(saving.size(), plain.size());
  for (size_t i = 0; i < plain.size(); ++i)
    EXPECT_TRUE(plain[i]["loss"] == saving[i]["loss"] && plain[i]["grad_norm"] == saving[i]["grad_norm"]) << i;
}

// 70 sentences in batches of 8: steps of 32, 32 and 6 sentences, the last one a window of a single, short batch. In
// batches of 3, it is a window of two.
TEST_F(Training, AccumulationEqualsTheLargeBatch) {
  options_["dropout"] = "0";
  for (const auto& [batch, accumulate, large] : {std::tuple{"8", "4", "32"}, {"3", "10", "30"}}) {
    succeed(train({{"batch-size", batch}, {"accumulate", accumulate}}));
    const auto parts = log(), parts_evaluations = log(true);
    succeed(train({{"batch-size", large}}));
    const auto whole = log(), whole_evaluations = log(true);
    ASSERT_EQ(whole.size(), 6U);
    ASSERT_EQ(parts.size(), 6U);
    for (size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(parts[i]["step"], whole[i]["step"]);
      EXPECT_EQ(parts[i]["epoch"], whole[i]["epoch"]);
      EXPECT_NEAR(parts[i]["loss"].get<double>(), whole[i]["loss"].get<double>(), 1e-5) << i;
      EXPECT_NEAR(parts[i]["grad_norm"].get<double>(), whole[i]["grad_norm"].get<double>(), 1e-5) << i;
    }
    for (size_t i = 0; i < 2; ++i)
      EXPECT_NEAR(parts_evaluations[i]["eval_loss"].get<double>(), whole_evaluations[i]["eval_loss"].get<double>(),
                  1e-5);
  }
}

TEST_F(Training, LogHasEachStepAndEvaluation) {
  const Result result = succeed(train({{"warmup", "0.25"}, {"schedule", "cosine"}}));
  EXPECT_EQ(result.err, "");
  const Schedule schedule = {.kind = Decay::cosine, .peak = 1e-3, .warmup = 4, .total = 18};
  const std::set<std::string> names = {"step", "epoch", "loss", "grad_norm", "learning_rate", "examples_per_second"};
  const auto steps = log();
  ASSERT_EQ(steps.size(), 18U);
  for (size_t i = 0; i < steps.size(); ++i) {
    std::set<std::string> found;
    for (const auto& [name, value] : steps[i].items()) {
      found.insert(name);
      EXPECT_TRUE(value.is_number() && std::isfinite(value.get<double>())) << name;
    }
    EXPECT_EQ(found, names);
    EXPECT_EQ(steps[i]["step"], i + 1);
    EXPECT_NEAR(steps[i]["epoch"].get<double>(), static_cast<double>(i + 1) / 9, 1e-12);
    EXPECT_EQ(steps[i]["learning_rate"], schedule.rate(static_cast<int64_t>(i)));
    EXPECT_GT(steps[i]["loss"], 0);
    EXPECT_GT(steps[i]["grad_norm"], 0);
    EXPECT_GT(steps[i]["examples_per_second"], 0);
  }
  const auto evaluations = log(true);
  ASSERT_EQ(evaluations.size(), 2U);
  for (size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(evaluations[i]["step"], 9 * (i + 1));
    EXPECT_EQ(evaluations[i]["epoch"], i + 1);
    for (const char* name : {"eval_runtime", "eval_samples_per_second", "eval_steps_per_second"})
      EXPECT_GT(evaluations[i].at(name), 0) << name;
    EXPECT_TRUE(evaluations[i].at("eval_accuracy") >= 0 && evaluations[i].at("eval_accuracy") <= 1);
  }
}

// 18 steps, nine an epoch. Nothing but the evaluations changes.
TEST_F(Training, EvaluatesAlsoEverySoManySteps) {
  options_["dropout"] = "0.1";
  succeed(train({}));
  const auto plain = log();
  succeed(train({{"evaluate-every", "4"}}));
  std::vector<int64_t> found;
  for (const auto& evaluation : log(true)) {
    found.push_back(evaluation["step"].get<int64_t>());
    EXPECT_DOUBLE_EQ(evaluation["epoch"].get<double>(), static_cast<double>(found.back()) / 9);
  }
  EXPECT_EQ(found, (std::vector<int64_t>{4, 8, 9, 12, 16, 18}));
  const auto steps = log();
  ASSERT_EQ(steps.size(), plain.size());
  for (size_t i = 0; i < steps.size(); ++i) EXPECT_EQ(steps[i]["loss"], plain[i]["loss"]) << i;
}

TEST_F(Training, LearnsAndKeepsTheBestEpoch) {
  succeed(train({{"epochs", "12"}, {"dropout", "0"}}));
  const auto evaluations = log(true);
  const auto best = std::max_element(evaluations.begin(), evaluations.end(), [](const auto& a, const auto& b) {
    return a["eval_accuracy"] < b["eval_accuracy"];  // the first of equals
  });
  EXPECT_GE(best->at("eval_accuracy"), 0.9) << "the reviews follow a simple rule";
  const auto again = objects_of(succeed("evaluate --model m.h5 --data data/dev.tsv --json --quiet").out);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0]["eval_accuracy"], best->at("eval_accuracy"));
  EXPECT_NEAR(again[0]["eval_loss"].get<double>(), best->at("eval_loss").get<double>(), 1e-5);
}

TEST_F(Training, ConfigFileEqualsOptions) {
  options_["max-steps"] = "4";
  succeed(train({{"output", "flags.h5"}, {"shuffle", "false"}, {"labels", "poor,fine"}}));
  std::string toml = "# all of them\nlabels = [\"poor\", \"fine\"]\nshuffle = false\n";
  for (const auto& [name, value] : options_) {
    const bool number = value.find_first_not_of("0123456789.e-") == std::string::npos;
    toml += name + " = " + (value.empty() ? "true" : number ? value : '"' + value + '"') + "\n";
  }
  write_bytes(*this / "run.toml", toml);
  EXPECT_EQ(succeed("train_sst2 --config run.toml").out.find("epoch"), std::string::npos) << "quiet: the result only";
  ASSERT_FALSE(bytes("m.h5").empty());
  EXPECT_TRUE(bytes("m.h5") == bytes("flags.h5"));
  succeed("train_sst2 --config run.toml --output other.h5 --seed 9");  // the command line wins
  EXPECT_EQ(Checkpoint(*this / "other.h5").contents().options.at("seed"), 9);
}

TEST_F(Training, CheckpointHoldsTheEffectiveOptions) {
  succeed(train({{"max-steps", "1"}}));
  const nlohmann::json expected = {{"model", "random:tiny"},
                                   {"data", "data"},
                                   {"dev-data", ""},
                                   {"validation-split", 0.0},
                                   {"format", "auto"},
                                   {"text-column", ""},
                                   {"pair-column", ""},
                                   {"label-column", ""},
                                   {"task", ""},
                                   {"vocab", "vocab.txt"},
                                   {"labels", {"negative", "positive"}},
                                   {"epochs", 2},
                                   {"batch-size", 8},
                                   {"accumulate", 1},
                                   {"learning-rate", 1e-3},
                                   {"weight-decay", 0.01},
                                   {"optimizer", "adamw"},
                                   {"micro-batches", 1},
                                   {"gradient-dtype", "f32"},
                                   {"schedule", "linear"},
                                   {"layer-decay", 1.0},
                                   {"freeze", nlohmann::json::array()},
                                   {"ema", 0.0},
                                   {"patience", 0},
                                   {"min-improvement", 0.0},
                                   {"class-weights", nlohmann::json::array()},
                                   {"label-smoothing", 0.0},
                                   {"dev-data", ""},
                                   {"format", "auto"},
                                   {"text-column", ""},
                                   {"pair-column", ""},
                                   {"label-column", ""},
                                   {"validation-split", 0.0},
                                   {"task", ""},
                                   {"focal-gamma", 0.0},
                                   {"metric", ""},
                                   {"warmup", 0.06},
                                   {"max-grad-norm", 1.0},
                                   {"max-length", 128},
                                   {"dropout", -1.0},
                                   {"shuffle", true},
                                   {"max-steps", 1},
                                   {"evaluate-every", 0},
                                   {"seed", 5},
                                   {"precision", "f32"}};
  nlohmann::json found = Checkpoint(*this / "m.h5").contents().options.json();
  EXPECT_EQ(found["best-step"], 1);
  EXPECT_EQ(found["inputs"].size(), 3U) << found["inputs"];
  EXPECT_TRUE(found["best-metrics"].contains("loss") && found["best-metrics"].contains("accuracy"));
  found.erase("best-step");
  found.erase("best-metrics");
  found.erase("inputs");
  EXPECT_EQ(found, expected);
}

TEST_F(Training, DataComesFromTheEnvironmentOrIsMade) {
  options_.erase("data");
  options_.erase("quiet");
  options_["max-steps"] = "1";
  expect_in(succeed(train(), {.environment = {"ESPALIER_DATA=data"}}).out, "data: data (ESPALIER_DATA): 70 training");
  expect_in(succeed(train()).out, "built-in synthetic film reviews");
  EXPECT_TRUE(exists("runs/data/demo/train.tsv") && exists("runs/data/demo/dev.tsv"));
  EXPECT_EQ(Checkpoint(*this / "m.h5").contents().options.at("data"), "runs/data/demo");
}

TEST_F(Training, ClosingTableAndOptimizerGroups) {
  options_.erase("quiet");
  const Result result = succeed(train({{"max-steps", "2"}}));
  EXPECT_EQ(result.err, "");
  for (const char* part : {"none on ", "dev loss ", "dev accuracy ", "run time ", "samples/s ", "steps/s ",
                           "peak memory ", "m.h5 |\n", "initialised from the seed"})
    expect_in(result.out, part);
  EXPECT_EQ(result.out.find_first_of("\r\033"), std::string::npos) << "plain lines where stdout is no terminal";
}

TEST_F(Training, NotANumberStopsAndKeepsTheLastGoodCheckpoint) {
  succeed(train());
  const std::string good = bytes("m.h5");
  options_["learning-rate"] = "1e30";
  options_["warmup"] = "0";
  options_["overwrite"] = "";
  expect_refused(train(), {"training: loss", "nan", "step 2 (epoch 1, batch 2)", "--learning-rate"}, {}, 1);
  expect_refused(train({{"max-steps", "1"}}), {"evaluation: loss", "nan", "step 1 (epoch 1, batch 1)"}, {}, 1);
  EXPECT_TRUE(bytes("m.h5") == good);
}

}  // namespace
}  // namespace espalier
