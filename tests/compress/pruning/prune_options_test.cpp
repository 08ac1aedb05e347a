// SPDX-License-Identifier: Apache-2.0
// When how much is pruned, and what is refused.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/compress/pruning/small_model.h"
#include "tests/temporary.h"

namespace espalier {
namespace {

TEST(PruneSchedule, CubicAndLinearRiseFromInitialToFullAndFreeze) {
  const PruneSchedule cubic{.kind = PruneSchedule::Kind::cubic, .initial = 0.2, .begin = 10, .end = 31, .interval = 10},
      linear{.kind = PruneSchedule::Kind::linear, .begin = 0, .end = 20, .interval = 5};
  EXPECT_DOUBLE_EQ(cubic.amount(0.8, 10), 0.2);
  EXPECT_DOUBLE_EQ(cubic.amount(0.8, 31), 0.8);
  EXPECT_DOUBLE_EQ(cubic.amount(0.8, 20), 0.8 - 0.6 * std::pow(11.0 / 21, 3));
  EXPECT_DOUBLE_EQ(linear.amount(0.8, 5), 0.2);
  std::vector<int64_t> due;
  for (int64_t step = 0; step < 100; ++step)
    if (cubic.due(step)) due.push_back(step);
  EXPECT_EQ(due, (std::vector<int64_t>{10, 20, 30, 31})) << "the last one is at the end";
  EXPECT_FALSE(cubic.complete(31));
  EXPECT_TRUE(cubic.complete(32));
}

TEST(PruneOptions, MistakesAreOneClearLine) {
  const auto error = [](const PruneOptions& options) { return error_of<Error>([&] { options.check(); }); };
  expect_in(error({.amount = 1}), "--amount 1: a share in [0, 1) is expected");
  expect_in(error({}), "--amount -1");
  expect_in(error({.amount = std::nan("")}), "--amount nan");
  expect_in(error_of<Error>([] { const PruneOptions unknown{.method = "best", .amount = 0.5}; }),
            "best: choose magnitude, random, taylor, wanda, movement or");
  expect_in(error_of<Error>([] { const PruneOptions few{.amount = 0.5, .structure = "4:2"}; }), "N below M");
  expect_in(error_of<Error>([] { const PruneOptions none{.amount = 0.5, .structure = "block:0x4"}; }),
            "structure 'block:0x4': choose weight");
  expect_in(error({.amount = 0.5, .structure = "2:4"}), "--amount 0.5: the structure 2:4 is an amount by itself");
  expect_in(error({.structure = "2:4", .scope = RankingScope::global}), "--scope global");
  expect_in(error({.amount = 0.5, .structure = "head", .scope = RankingScope::row}),
            "--scope row: is for single weights");
  expect_in(error({.method = "soft-movement", .amount = 0.5, .scope = RankingScope::global, .schedule = {.begin = 1}}),
            "--method soft-movement: is a threshold for each unit by itself");
  expect_in(error({.amount = 0.5, .layer_limit = 0.5}), "--layer-limit 0.5: is for global ranking");
  expect_in(error({.method = "movement", .amount = 0.5}),
            "--begin 0: movement learns its scores from the steps before");
  expect_in(error({.method = "taylor",
                   .amount = 0.5,
                   .schedule = {.kind = PruneSchedule::Kind::cubic, .initial = 0.2, .end = 5}}),
            "--initial 0.2: taylor knows nothing yet at step 0");
  expect_in(error({.method = movement({.learning_rate = 0}), .amount = 0.5, .schedule = {.begin = 1}}),
            "--score-rate 0");
  expect_in(error({.method = movement({.learning_rate = 1, .soft = true, .regularization = -1}),
                   .amount = 0.5,
                   .schedule = {.begin = 1}}),
            "--regularization -1");
  expect_in(error({.amount = 0.5, .schedule = {.kind = PruneSchedule::Kind::cubic, .begin = 5, .end = 5}}), "--end 5");
  expect_in(error({.amount = 0.5, .schedule = {.kind = PruneSchedule::Kind::cubic, .initial = 0.6, .end = 5}}),
            "--initial 0.6");
  expect_in(error({.amount = 0.5, .schedule = {.kind = PruneSchedule::Kind::cubic, .end = 5, .interval = 0}}),
            "--interval 0");
  const auto model = open_model(small_model.string());
  const auto shape_error = [&](const std::string& structure, double amount, std::vector<std::string> layers = {}) {
    Pruner pruner({.amount = amount, .structure = structure, .layers = std::move(layers)});
    return error_of<Error>([&] { pruner.attach(*model->bert, model->store); });
  };
  expect_in(shape_error("3:7", -1), "3:7 does not divide bert.encoder.layer.0.attention.self.query.weight");
  expect_in(shape_error("block:7x2", 0.5), "blocks of 7x2 do not divide");
  expect_in(shape_error("2:4", -1, {"*.bias"}), "is no matrix");
}

TEST(PruneOptions, NothingIsPrunedAsAWhole) {
  const auto error = [&](const PruneOptions& options) {
    const auto model = open_model(small_model.string());
    Pruner pruner(options);
    pruner.attach(*model->bert, model->store);
    return error_of<Error>([&] { pruner.before_forward(0); });
  };
  const std::vector<std::string> query = {"bert.encoder.layer.0.attention.self.query.weight"};
  const auto model = open_model(small_model.string());
  const Shape shape = model->store.at(query.front()).shape;
  const std::string halves = "block:" + std::to_string(shape[0] / 2) + "x" + std::to_string(shape[1]);
  expect_in(error({.amount = 0.9, .structure = halves, .layers = query}), "would remove 2 of the 2 ");
  expect_in(error({.amount = 0.99999, .layers = query}), "at most " + std::to_string(shape.size() - 1) + " may go");
  expect_in(error({.amount = 0.999, .scope = RankingScope::row, .layers = query}),
            "would remove all " + std::to_string(shape[1]) + " weights of each row");
}

}  // namespace
}  // namespace espalier
