// SPDX-License-Identifier: Apache-2.0
// Quantization through the programs: quantize, train_sst2 --qat.*, and what reads their files.
#include <cmath>

#include "core/kernels/isa.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

class QuantizePrograms : public Programs {
 protected:
  QuantizePrograms() {
    succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output dense.h5 --epochs 1 --quiet");
  }
  std::string logits(const std::string& model, const std::string& more = "") const {
    succeed("evaluate --model " + model + " --data data/dev.tsv --quiet --logits logits.tsv" + more);
    return bytes("logits.tsv");
  }
};

TEST_F(QuantizePrograms, AFileOfIntegersIsAModelLikeAnyOther) {
  const auto dense = json("inspect dense.h5");
  for (const std::string mode :
       {"--mode dynamic", "--calibration data/train.tsv --calibration-steps 3 --observer histogram",
        "--calibration data --bits 4 --embedding-bits 4"}) {
    const auto report = json("quantize --model dense.h5 --output q.h5 " + mode);
    EXPECT_LT(report["tensor_bytes"], report["tensor_bytes_before"]) << mode;
    EXPECT_LT(report["file_bytes"], dense["file_bytes"]) << mode;
    EXPECT_EQ(json("inspect q.h5")["parameters"], dense["parameters"]);
    EXPECT_EQ(dense["bits"], std::vector<int>{32});
    EXPECT_EQ(json("inspect q.h5")["bits"], (std::vector<int>{mode.find("--bits 4") == std::string::npos ? 8 : 4, 32}));
    expect_in(succeed("inspect q.h5").out, mode.find("--bits 4") == std::string::npos ? " 8, 32 bits" : " 4, 32 bits");
    const std::string found = logits("q.h5");
    EXPECT_NE(found, logits("dense.h5"));
    EXPECT_EQ(logits("q.h5", " --threads 1"), found);
    std::istringstream one(logits("q.h5", " --batch-size 1")), many(found);
    for (double a = 0, b = 0; one >> a && many >> b;) EXPECT_NEAR(a, b, 2e-6);  // the last digit of the file
    EXPECT_EQ(succeed("predict --model q.h5 --quiet", {.input = "a good film\n"}).exit_code, 0);
    expect_refused("train_sst2 --model q.h5 --data data --output t.h5",
                   {"q.h5", "is int8; training needs f32 weights"});
    expect_refused("prune --model q.h5 --amount 0.5 --output t.h5", {"is int8; pruning needs f32 weights"});
    expect_refused("quantize --model q.h5 --mode dynamic --output t.h5", {"is int8; quantization needs f32 weights"});
  }
}

TEST_F(QuantizePrograms, EveryInstructionSetGivesTheSameAnswers) {
  succeed("quantize --model dense.h5 --output q.h5 --mode dynamic --quiet");
  const auto answers = [&](const std::string& isa) {
    succeed("evaluate --model q.h5 --data data/dev.tsv --quiet --logits logits.tsv",
            {.environment = {"ESPALIER_ISA=" + isa}});
    std::istringstream in(bytes("logits.tsv"));
    std::vector<double> values;
    for (double v; in >> v;) values.push_back(v);
    return values;
  };
  const auto best = answers("");
  ASSERT_EQ(best.size(), 40U);
  for (const std::string& isa : kernels::available_isas()) {
    const auto found = answers(isa);
    ASSERT_EQ(found.size(), best.size());
    for (size_t i = 0; i < best.size(); ++i)
      EXPECT_NEAR(best[i], found[i], 0.02 * std::abs(best[i]) + 1e-3) << isa << " " << i;
  }
}

TEST_F(QuantizePrograms, TrainingEvaluatesWhatItSaves) {
  const std::string train =
      "train_sst2 --model dense.h5 --data data --epochs 2 --qat.on --save-every 3 --batch-size 8 --quiet --output ";
  for (const std::string more : {"", " --qat.learned true --precision bf16", " --qat.bits 4 --qat.embedding-bits 8"}) {
    const auto trained = json(train + "q.h5" + more);
    const auto found = json("evaluate --model q.h5 --data data/dev.tsv");
    EXPECT_EQ(found["eval_accuracy"], trained["eval_accuracy"]) << more;
    EXPECT_NEAR(found["eval_loss"].get<double>(), trained["eval_loss"].get<double>(), 1e-6) << more;
  }
}

TEST_F(QuantizePrograms, AStoppedRunEndsAsOneThatWasNotStopped) {
  const std::string train =
      "train_sst2 --model dense.h5 --data data --epochs 3 --batch-size 8 --accumulate 2 --prune.amount 0.5 --qat.on "
      "--qat.begin 3 --qat.observer histogram --save-every 4 --precision bf16 --quiet --output ";
  succeed(train + "whole.h5");
  Around killed;
  killed.largest_file = bytes("dense.h5").size() * 3 / 2;
  killed.killed_at_limit = true;
  run(train + "parts.h5", killed);
  EXPECT_FALSE(exists("parts.h5"));
  succeed(train + "parts.h5 --resume");
  EXPECT_TRUE(bytes("whole.h5") == bytes("parts.h5"));
}

TEST_F(QuantizePrograms, PrunedModelsKeepTheirZeros) {
  succeed("prune --model dense.h5 --output sparse.h5 --amount 0.8 --quiet");
  succeed("quantize --model sparse.h5 --output q.h5 --mode dynamic --quiet");
  succeed("quantize --model dense.h5 --output dense8.h5 --mode dynamic --quiet");
  EXPECT_GE(json("inspect q.h5")["sparsity"], json("inspect sparse.h5")["sparsity"]);
  EXPECT_LT(bytes("q.h5").size(), bytes("dense8.h5").size());
}

TEST_F(QuantizePrograms, ZeroBlocksOfIntegersAreLessWork) {
  succeed("prune --model dense.h5 --output p.h5 --amount 0.5 --structure block:32x64 --quiet");
  succeed("quantize --model p.h5 --output q.h5 --mode dynamic --quiet");
  expect_in(succeed("inspect q.h5").out, "faster: int8 products (");
  const auto report = json("inspect q.h5");
  EXPECT_GT(report["expected_speedup"].get<double>(), 1.3);
  EXPECT_EQ(report["expected_speedup"], report["expected_speedup_bf16"]);
}

TEST_F(QuantizePrograms, EqualisationAndBiasCorrectionChangeTheIntegers) {
  const std::string quantize = "quantize --model dense.h5 --calibration data --bits 4 --quiet --output ";
  succeed(quantize + "plain.h5");
  const std::string plain = logits("plain.h5");
  for (const std::string option : {" --equalize 0.5", " --correct-biases", " --mode dynamic --correct-biases"}) {
    succeed(quantize + "q.h5" + option);
    EXPECT_NE(logits("q.h5"), plain) << option;
  }
  expect_refused(quantize + "t.h5 --equalize 2", {"--equalize 2: a share from 0 to 1"});
}

TEST_F(QuantizePrograms, SensitivityNamesEveryLayer) {
  const auto lines = objects_of(
      succeed("quantize --model dense.h5 --output q.h5 --calibration data --analyze data/dev.tsv --json --quiet").out);
  ASSERT_EQ(lines.size(), 1U + 2U * 4U + 1U + 1U) << "nothing, layers, pooler, the file";
  EXPECT_TRUE(lines[0]["layer"].is_null());
  EXPECT_EQ(lines[0]["loss_change"], 0);
  EXPECT_EQ(lines[1]["layer"], "bert.encoder.layer.0.attention.self.query.weight");
  EXPECT_DOUBLE_EQ(lines[1]["eval_loss"].get<double>() - lines[0]["eval_loss"].get<double>(), lines[1]["loss_change"]);
  double most = 0;
  for (size_t i = 0; i + 1 < lines.size(); ++i) most = std::max(most, std::abs(lines[i]["loss_change"].get<double>()));
  EXPECT_GT(most, 0);
  succeed("quantize --model dense.h5 --output q.h5 --mode dynamic --analyze data/dev.tsv --max-length 8 --quiet");
}

TEST_F(QuantizePrograms, MistakesAreOneLine) {
  const std::string quantize = "quantize --model dense.h5 --output q.h5 ";
  expect_refused(quantize + "--mode fast", {"--mode fast: choose static or dynamic"});
  expect_refused(quantize + "--bits 9", {"--bits 9: 2 to 8 are expected"});
  expect_refused(quantize + "--calibration nowhere.tsv", {"nowhere.tsv"});
  write_bytes(*this / "empty.txt", "");
  expect_refused(quantize + "--calibration empty.txt", {"empty.txt: is empty"});
  expect_refused(quantize + "--mode dynamic --calibration data", {"--calibration: nothing looks at training text"});
  expect_refused(quantize + "--mode dynamic --keep-f32 nothing*", {"'nothing*' matches no weight"});
  expect_refused(quantize + "--mode dynamic --keep-f32 *", {"nothing would be quantized"});
  expect_refused(quantize + "--mode dynamic --symmetric true", {"--symmetric true: is for static ranges"});
  expect_refused(quantize + "--mode dynamic --max-length 64", {"--max-length: nothing looks at training text"});
  succeed("quantize --model dense.h5 --output e.h5 --mode dynamic --keep-f32 *encoder* --embedding-bits 8 --quiet");
  expect_refused("quantize --model e.h5 --output q.h5 --mode dynamic", {"e.h5: ", " is int8; quantization needs f32"});
  expect_refused("train_sst2 --model dense.h5 --data data --output q.h5 --qat.bits 4",
                 {"--qat.bits: nothing is quantized without --qat.on"});
  expect_refused("train_sst2 --model dense.h5 --data data --output q.h5 --qat.on --qat.begin 10000",
                 {"--qat.begin 10000"});
  EXPECT_FALSE(exists("q.h5"));
}

}  // namespace
}  // namespace espalier
