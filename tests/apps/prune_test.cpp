// SPDX-License-Identifier: Apache-2.0
// Pruning through the programs: prune, train_sst2 --prune.*, inspect; zeros that stay, files that shrink, same bits.
#include <cmath>

#include "tests/apps/program.h"

namespace espalier {
namespace {

class PrunePrograms : public Programs {
 protected:
  PrunePrograms() {
    succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output dense.h5 --epochs 1 --quiet");
  }

  nlohmann::json inspect(const std::string& model) const {
    return objects_of(succeed("inspect " + model + " --json").out).at(0);
  }

  static double encoder_sparsity(const nlohmann::json& inspected) {
    double zeros = 0, weights = 0;
    for (const auto& part : inspected["parts"])
      if (part["part"].get<std::string>().starts_with("layer")) {
        zeros += part["zeros"].get<double>();
        weights += part["parameters"].get<double>();
      }
    return zeros / weights;
  }

  // Largest difference of the logits that evaluate writes for two models on the dev set.
  double logit_difference(const std::string& a, const std::string& b) const {
    std::vector<std::vector<double>> values;
    for (const std::string& model : {a, b}) {
      succeed("evaluate --model " + model + " --data data/dev.tsv --quiet --logits logits.tsv");
      std::istringstream in(bytes("logits.tsv"));
      values.emplace_back();
      for (std::string word; in >> word;)
        if (word.find_first_not_of("-+.0123456789e") == std::string::npos) values.back().push_back(std::stod(word));
    }
    EXPECT_GE(values[0].size(), 40U);
    EXPECT_EQ(values[0].size(), values[1].size());
    double largest = 0;
    for (size_t i = 0; i < values[0].size(); ++i) largest = std::max(largest, std::abs(values[0][i] - values[1][i]));
    return largest;
  }
};

TEST_F(PrunePrograms, ZerosMakeTheFileSmallerAndAreHeldInTraining) {
  succeed("prune --model dense.h5 --output sparse.h5 --amount 0.8 --quiet");
  const auto sparse = inspect("sparse.h5"), dense = inspect("dense.h5");
  const double sparsity = encoder_sparsity(sparse);
  EXPECT_GT(sparsity, 0.75);  // biases and norms are not pruned
  int64_t stored = 0, all = 0;
  for (const auto& part : sparse["parts"])
    if (part["part"].get<std::string>().starts_with("layer")) {
      stored += part["stored_bytes"].get<int64_t>();
      all += 4 * part["parameters"].get<int64_t>();
    }
  EXPECT_LT(static_cast<double>(stored), 0.27 * static_cast<double>(all));
  EXPECT_LT(sparse["file_bytes"].get<int64_t>(), dense["file_bytes"].get<int64_t>());
  for (const std::string precision : {"f32", "bf16"}) {
    succeed(
        "train_sst2 --model sparse.h5 --data data --output tuned.h5 --epochs 3 --weight-decay 0.1 --quiet "
        "--precision " +
        precision);
    EXPECT_EQ(encoder_sparsity(inspect("tuned.h5")), sparsity) << precision;
    EXPECT_GT(logit_difference("sparse.h5", "tuned.h5"), 0);
  }
}

TEST_F(PrunePrograms, ShrinkingKeepsTheLogits) {
  succeed("prune --model dense.h5 --output masked.h5 --amount 0.5 --structure neuron --quiet");
  succeed("prune --model masked.h5 --output half.h5 --amount 0.5 --structure head --quiet");
  succeed("prune --model half.h5 --output small.h5 --shrink --quiet");
  EXPECT_LE(logit_difference("half.h5", "small.h5"), 1e-5);
  EXPECT_GT(logit_difference("dense.h5", "small.h5"), 1e-3);
  EXPECT_LT(inspect("small.h5")["parameters"].get<int64_t>(), inspect("half.h5")["parameters"].get<int64_t>());
  EXPECT_EQ(encoder_sparsity(inspect("small.h5")), 0);
  EXPECT_NE(succeed("prune --model small.h5 --output again.h5 --shrink").out.find("shrink: nothing to cut"),
            std::string::npos);
  EXPECT_EQ(logit_difference("small.h5", "again.h5"), 0);
  const auto looked_at = inspect("small.h5");
  EXPECT_EQ(looked_at["layer_heads"], (std::vector<int>{1, 1}));
  EXPECT_EQ(looked_at["layer_intermediate"], (std::vector<int>{256, 256}));
  EXPECT_GT(looked_at["expected_speedup"].get<double>(), 1.8);
  EXPECT_NE(succeed("inspect small.h5")
                .out.find("shrunk: of 2 heads and 512 feed-forward neurons a layer, [1,1] and "
                          "[256,256] are left"),
            std::string::npos);
  EXPECT_EQ(looked_at["options"]["pruned"].size(), 2U) << "one after the other";
  succeed("train_sst2 --model small.h5 --data data --output on.h5 --epochs 1 --quiet");
  EXPECT_EQ(inspect("on.h5")["parameters"], inspect("small.h5")["parameters"]);
}

TEST_F(PrunePrograms, TrainingShrinksItsOutputInTheEnd) {
  const std::string train =
      "train_sst2 --model dense.h5 --data data --epochs 2 --prune.amount 0.5 --prune.structure neuron --quiet "
      "--output ";
  succeed(train + "masked.h5");
  succeed(train + "small.h5 --prune.shrink");
  EXPECT_LE(logit_difference("masked.h5", "small.h5"), 1e-5);
  EXPECT_LT(inspect("small.h5")["parameters"].get<int64_t>(), inspect("masked.h5")["parameters"].get<int64_t>());
}

TEST_F(PrunePrograms, SchedulesEndAtTwoThirdsByThemselves) {
  succeed(
      "train_sst2 --model dense.h5 --data data --output g.h5 --epochs 3 --batch-size 8 --prune.amount 0.5 "
      "--prune.schedule cubic --prune.begin 2 --prune.interval 2 --quiet");
  EXPECT_GT(encoder_sparsity(inspect("g.h5")), 0.45);
  const std::string run =
      "train_sst2 --model dense.h5 --data data --output g.h5 --epochs 3 --batch-size 8 --prune.amount 0.5 "
      "--prune.schedule cubic ";
  EXPECT_NE(succeed(run + "--prune.begin 2 --prune.end 12").out.find("every step"), std::string::npos);
  expect_refused(run + "--prune.begin 2 --prune.end 12 --prune.interval 11",
                 {"--prune.interval 11: the schedule goes from step 2 to 12 and would prune only at its end"});
  expect_refused(run + "--prune.begin 20% --prune.end 2%", {"--prune.end 1: a step after the first"});
}

TEST_F(PrunePrograms, ShrinkingWhatIsInt8LeavesItInt8) {
  const std::string train =
      "train_sst2 --model dense.h5 --data data --epochs 2 --prune.amount 0.5 --prune.structure neuron --qat.on --quiet "
      "--output ";
  succeed(train + "masked.h5");
  succeed(train + "small.h5 --prune.shrink");
  EXPECT_EQ(logit_difference("masked.h5", "small.h5"), 0);
  EXPECT_LT(inspect("small.h5")["file_bytes"].get<int64_t>(), inspect("masked.h5")["file_bytes"].get<int64_t>());
  succeed("prune --model masked.h5 --output again.h5 --shrink --quiet");
  EXPECT_EQ(logit_difference("again.h5", "small.h5"), 0);
  EXPECT_EQ(inspect("again.h5")["parts"], inspect("small.h5")["parts"]);
  EXPECT_EQ(inspect("again.h5")["bits"], (std::vector<int>{8, 32}));
  expect_refused("prune --model masked.h5 --output p.h5 --amount 0.5", {"is int8; pruning needs f32 weights"});
}

TEST_F(PrunePrograms, SpeedIsExpectedOfBlocksOnly) {
  const auto pruned = [&](const std::string& structure) {
    const std::string command = "prune --model dense.h5 --output p.h5 --amount 0.5 --structure " + structure;
    return std::pair{succeed(command).out, objects_of(succeed(command + " --json").out).at(0)};
  };
  const auto [blocks, block_figures] = pruned("block:32x32");
  for (const std::string said : {"faster in f32: ", "faster in bf16 ("})
    EXPECT_NE(blocks.find(said), std::string::npos) << blocks;
  for (const std::string figure : {"expected_speedup", "expected_speedup_bf16"}) {
    EXPECT_GT(block_figures[figure].get<double>(), 1.3);
    EXPECT_EQ(inspect("p.h5")[figure], block_figures[figure]);
  }
  const auto [weights, weight_figures] = pruned("weight");
  EXPECT_NE(weights.find("not faster, nor smaller in memory: "), std::string::npos) << weights;
  EXPECT_EQ(weight_figures["expected_speedup"].get<double>(), 1);
}

TEST_F(PrunePrograms, LayersAreCutOut) {
  const auto dropped =
      objects_of(succeed("prune --model dense.h5 --output a.h5 --structure layer --drop-layers 1 --json").out).at(0);
  succeed("prune --model dense.h5 --output b.h5 --keep-layers 0 --quiet");
  EXPECT_EQ(logit_difference("a.h5", "b.h5"), 0);
  EXPECT_GT(logit_difference("dense.h5", "a.h5"), 0);
  EXPECT_LT(dropped["parameters"].get<int64_t>(), dropped["parameters_before"].get<int64_t>());
  EXPECT_GT(dropped["expected_speedup"].get<double>(), 1.9);
  const auto parts = inspect("a.h5")["parts"];
  EXPECT_EQ(parts.size(), 4U) << "embeddings, one layer's halves, pooler and classifier";
  for (const std::string method : {"magnitude", "taylor --data data --calibration-steps 3", "wanda --data data"}) {
    const auto said =
        succeed("prune --model dense.h5 --output c.h5 --structure layer --amount 0.5 --method " + method).out;
    EXPECT_NE(said.find("50 % of encoder layers by "), std::string::npos) << said;
    EXPECT_NE(said.find("faster: "), std::string::npos) << said;
    const auto left = inspect("c.h5")["options"]["pruned"][0]["layers-left"];
    EXPECT_NE(said.find("left are the layers " + left.dump() + ", "), std::string::npos) << said;
    EXPECT_EQ(inspect("c.h5")["parameters"], inspect("a.h5")["parameters"]) << method;
  }
  succeed("train_sst2 --model a.h5 --data data --output on.h5 --epochs 1 --quiet");
  EXPECT_EQ(inspect("on.h5")["parameters"], inspect("a.h5")["parameters"]);
  succeed("prune --model on.h5 --output narrow.h5 --amount 0.5 --structure neuron --shrink --quiet");
  EXPECT_LT(inspect("narrow.h5")["parameters"].get<int64_t>(), inspect("on.h5")["parameters"].get<int64_t>());
}

TEST_F(PrunePrograms, VocabularyThatATextNeverUsesIsCutOut) {
  const std::string prune = "prune --model dense.h5 --output words.h5 --vocabulary data/dev.tsv ";
  const auto cut = objects_of(succeed(prune + "--json").out).at(0)["vocabulary"];
  EXPECT_EQ(cut["sentences"], 20);
  EXPECT_EQ(cut["sentences_changed"], 0);
  EXPECT_EQ(cut["pieces"], cut["pieces_before"]);
  const auto rows = cut["rows_removed"].get<int64_t>();
  EXPECT_GT(rows, 0);
  EXPECT_EQ(rows, cut["tokens_before"].get<int64_t>() - cut["tokens"].get<int64_t>());
  EXPECT_EQ(cut["bytes_removed"], 4 * 128 * rows);
  EXPECT_EQ(inspect("dense.h5")["parameters"].get<int64_t>() - inspect("words.h5")["parameters"].get<int64_t>(),
            128 * rows);
  EXPECT_EQ(logit_difference("dense.h5", "words.h5"), 0) << "of dev.tsv, which was counted";

  const Around unseen{.input = "quite unlike any sentence, \xc3\xa9 \xe2\x98\x83\n"};
  EXPECT_EQ(lines_of(succeed("tokenize --model words.h5", unseen).out).size(), 1U);
  succeed("train_sst2 --model words.h5 --data data --output on.h5 --epochs 1 --quiet");
  EXPECT_EQ(inspect("on.h5")["parameters"], inspect("words.h5")["parameters"]);

  const auto said = succeed(prune + "data/train.tsv").out;
  EXPECT_NE(said.find("none of 90 sentences"), std::string::npos) << said;
  EXPECT_EQ(said.find("faster: "), std::string::npos) << "the work is the same: " << said;
  const auto least = objects_of(succeed(prune + "--vocabulary-least 20 --json").out).at(0)["vocabulary"];
  EXPECT_LT(least["tokens"], cut["tokens"]);
  EXPECT_GT(least["sentences_changed"], 0);

  succeed(prune + "--drop-layers 0 --amount 0.5 --structure neuron --shrink --quiet");  // all at once
  EXPECT_EQ(inspect("words.h5")["parts"].size(), 4U);
  succeed("evaluate --model words.h5 --data data/dev.tsv --quiet");
}

TEST_F(PrunePrograms, ThreadsDoNotChangeTheResult) {
  for (const std::string method : {"magnitude", "taylor --data data --calibration-steps 3", "wanda --data data"}) {
    for (const std::string threads : {"1", "2"})
      succeed("prune --model dense.h5 --output t" + threads + ".h5 --amount 0.6 --scope global --quiet --threads " +
              threads + " --method " + method);
    EXPECT_TRUE(bytes("t1.h5") == bytes("t2.h5")) << method;
  }
}

TEST_F(PrunePrograms, AStoppedRunEndsAsOneThatWasNotStopped) {
  const std::string train =
      "train_sst2 --model dense.h5 --data data --epochs 3 --batch-size 8 --accumulate 2 --prune.amount 0.7 "
      "--prune.method movement --prune.scope global --prune.schedule cubic --prune.begin 2 --prune.end 10 "
      "--prune.interval 3 --save-every 4 --precision bf16 --quiet --output ";
  succeed(train + "whole.h5");
  Around killed;
  killed.largest_file = bytes("dense.h5").size() * 3 / 2;
  killed.killed_at_limit = true;  // at the first save: nothing of it may stay behind
  run(train + "parts.h5", killed);
  EXPECT_FALSE(exists("parts.h5"));
  for (int i = 0; i < 2; ++i) succeed(train + "parts.h5 --resume");  // the second one has nothing left to do
  EXPECT_TRUE(bytes("whole.h5") == bytes("parts.h5"));
  EXPECT_NEAR(encoder_sparsity(inspect("whole.h5")), 0.7, 0.05);
}

TEST_F(PrunePrograms, MovementHasItsOwnDefaults) {
  const std::string train =
      "train_sst2 --model dense.h5 --data data --max-steps 4 --batch-size 8 --prune.amount 0.3 --prune.schedule linear "
      "--prune.begin 1 --output m.h5 --prune.method ";
  expect_in(succeed(train + "movement").out, "movement (scores learned at rate 0.001), ranked in each layer");
  expect_in(succeed(train + "movement").out, "every step\n");
  expect_in(succeed(train + "soft-movement").out, "soft movement (scores learned at rate 0.01, ");
  expect_in(succeed(train + "soft-movement --prune.score-rate 0.001 --prune.end 3 --prune.interval 2").out,
            "rate 0.001, regularization 0); ");
}

TEST_F(PrunePrograms, MistakesAreOneLine) {
  const std::string prune = "prune --model dense.h5 --output p.h5 ";
  expect_refused(prune, {"--amount is missing"});
  expect_refused(prune + "--amount 1", {"--amount 1: a share in [0, 1) is expected"});
  expect_refused(prune + "--amount -0.1", {"--amount -0.1"});
  expect_refused(prune + "--amount 0.5 --layers nothing*", {"'nothing*' matches no parameter"});
  expect_refused(prune + "--structure 3:7", {"3:7 does not divide", "bert.encoder.layer.0"});
  expect_refused(prune + "--amount 0.99 --structure head", {"would remove", "at most", "use a smaller amount"});
  expect_refused(prune + "--amount 0.5 --method movement", {"--method movement: learns in training"});
  expect_refused(prune + "--amount 0.5 --method wanda --data nowhere", {"nowhere"});
  expect_refused(prune + "--amount 0.5 --method wanda --data data --layers classifier.weight",
                 {"wanda knows the inputs"});
  expect_refused(prune + "--amount 0.5 --method taylor --data data --calibration-steps 0", {"--calibration-steps 0"});
  expect_refused(prune + "--amount 0.5 --calibration-steps 3", {"--calibration-steps: nothing looks at training text"});
  expect_refused(prune + "--amount 0.5 --vocabulary-least 3", {"--vocabulary-least: requires --vocabulary"});
  expect_refused(prune + "--keep-layers 0,9", {"layers: 9 is out of range; the model has the layers 0 to 1"});
  expect_refused(prune + "--drop-layers 0,1", {"layers: none of 2 would be left"});
  expect_refused(prune + "--drop-layers 0,0", {"layers: 0 is named twice"});
  expect_refused(prune + "--drop-layers 0 --keep-layers 1", {"--drop-layers: excludes --keep-layers"});
  expect_refused(prune + "--structure layer", {"--structure: nothing is pruned without --amount"});
  expect_refused(prune + "--structure neuron --drop-layers 0", {"--structure: nothing is pruned without --amount"});
  expect_refused(prune + "--structure layer --amount 0.9", {"would remove", "use a smaller amount"});
  expect_refused(prune + "--structure layer --amount 0.5 --layers *", {"--layers", "leave one out"});
  expect_refused(prune + "--vocabulary nowhere.txt", {"nowhere.txt: cannot be opened: No such file"});
  expect_refused(prune + "--vocabulary data", {"data: is a directory", "expected a file"});
  expect_refused(prune + "--vocabulary data/dev.tsv --vocabulary-least 0", {"a least count of 0"});
  const std::string train = "train_sst2 --model dense.h5 --data data --output p.h5 ";
  expect_refused(train + "--prune.amount 0.5 --prune.structure layer", {"use prune --structure layer"});
  expect_refused(train + "--prune.method magnitude", {"--prune.method", "nothing is pruned without --prune.amount"});
  expect_refused(train + "--prune.amount 0.5 --prune.begin 1000", {"the last pruning is at step 1000"});
  EXPECT_FALSE(exists("p.h5"));
}

}  // namespace
}  // namespace espalier
