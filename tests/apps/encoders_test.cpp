// SPDX-License-Identifier: Apache-2.0
// Every compression on every encoder, through the programs. The models are those of tests/golden/encoders.py.
#include <unistd.h>

#include <csignal>

#include "tests/apps/program.h"

namespace espalier {
namespace {

namespace fs = std::filesystem;

class EncoderPrograms : public Programs, public testing::WithParamInterface<const char*> {
 protected:
  EncoderPrograms() {
    const fs::path golden = fs::path(ESPALIER_TESTS_DIR) / "golden";
    const std::string data = " --labels negative positive --data data --max-length 20 --epochs 1 --quiet --output ";
    succeed("train_sst2 --model " + (golden / "encoders" / GetParam()).string() + data + "m.h5");
    // Of another architecture, where the vocabularies are the same.
    if (GetParam() == std::string("roberta"))
      fs::copy(*this / "m.h5", *this / "teacher.h5");
    else
      succeed("train_sst2 --model " + (golden / "hf_model").string() + data + "teacher.h5");
  }
  nlohmann::json evaluated(const std::string& model) const {
    return json("evaluate --data data/dev.tsv --model " + model);
  }
};

TEST_P(EncoderPrograms, IsPrunedAndShrunkAndBecomesIntegers) {
  succeed("prune --model m.h5 --output sparse.h5 --amount 0.5 --quiet");
  EXPECT_EQ(evaluated("sparse.h5").count("eval_loss"), 1U);
  succeed("prune --model m.h5 --output heads.h5 --structure head --amount 0.5 --shrink --quiet");
  succeed("prune --model heads.h5 --output small.h5 --structure neuron --amount 0.5 --shrink --quiet");
  EXPECT_LT(json("inspect small.h5")["parameters"], json("inspect m.h5")["parameters"]);
  for (const char* mode : {"static --calibration data/train.tsv", "dynamic"}) {
    succeed("quantize --model small.h5 --output int8.h5 --overwrite --quiet --mode " + std::string(mode));
    EXPECT_NEAR(evaluated("int8.h5")["eval_loss"].get<double>(), evaluated("small.h5")["eval_loss"].get<double>(), 0.1);
  }
  succeed("export --model small.h5 --output hf --quiet");
  EXPECT_EQ(evaluated("hf")["eval_loss"], evaluated("small.h5")["eval_loss"]);
}

TEST_P(EncoderPrograms, LearnsFromATeacherWithEverythingAtOnceAndResumesToTheSameBits) {
  const std::string train =
      "train_sst2 --model m.h5 --data data --max-length 20 --epochs 30 --batch-size 8 --save-every 3 --quiet "
      "--precision bf16 --prune.amount 0.5 --prune.schedule cubic --qat.on --qat.begin 40 --qat.embedding-bits 8 "
      "--distill.teacher teacher.h5 --distill.hidden-weight 1 --distill.attention-weight 1 --log-dir log --output ";
  succeed(train + "whole.h5");
  fs::remove_all(*this / "log");
  {
    Process process(folder_.path(), train + "parts.h5");
    while (process.runs() && lines_of(bytes("log/metrics.jsonl")).size() < 30) usleep(300);
    process.send(SIGTERM);
    process.wait();
  }
  succeed(train + "parts.h5 --resume");
  EXPECT_EQ(bytes("parts.h5"), bytes("whole.h5"));
  EXPECT_EQ(evaluated("whole.h5").count("eval_accuracy"), 1U);
}

INSTANTIATE_TEST_SUITE_P(Golden, EncoderPrograms, testing::Values("distilbert", "roberta", "electra"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace espalier
