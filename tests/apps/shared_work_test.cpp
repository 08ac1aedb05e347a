// SPDX-License-Identifier: Apache-2.0
// Programs as several ranks give what one process gives: evaluation, calibration, ranking, a teacher's answers.
#include "tests/apps/mpirun.h"

namespace espalier {
namespace {

class SharedWork : public Mpirun {
 protected:
  void SetUp() override {
    Mpirun::SetUp();
    if (!IsSkipped())
      succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output m.h5 --epochs 1 --quiet");
  }

  Result succeed_as(int ranks, const std::string& command) const {
    Result result = run_ranks(ranks, command + " --threads 1");
    EXPECT_EQ(result.exit_code, 0) << command << '\n' << result.err;
    return result;
  }

  // One process with `alone`, and ranks, write the same file.
  void expect_same(const std::string& command, const std::string& alone = "",
                   const std::vector<int>& ranks = {2}) const {
    succeed(command + " --quiet --output 1.h5 --overwrite" + alone);
    for (const int n : ranks) {
      succeed_as(n, command + " --quiet --output n.h5 --overwrite");
      EXPECT_TRUE(bytes("1.h5") == bytes("n.h5")) << command << " as " << n;
    }
  }
};

TEST_F(SharedWork, Evaluation) {
  for (const std::string batch : {"3", "32"}) {  // 32: fewer batches than ranks
    const std::string command =
        "evaluate --model m.h5 --data data/dev.tsv --json --quiet --overwrite --batch-size " + batch + " --logits ";
    const auto alone = objects_of(succeed(command + "1.tsv").out),
               ranks = objects_of(succeed_as(3, command + "n.tsv").out);
    EXPECT_EQ(bytes("1.tsv"), bytes("n.tsv"));
    ASSERT_EQ(ranks.size(), 1U) << "only rank 0 speaks";
    EXPECT_EQ(alone[0]["eval_loss"], ranks[0]["eval_loss"]);
    EXPECT_EQ(alone[0]["eval_accuracy"], ranks[0]["eval_accuracy"]);
  }
}

TEST_F(SharedWork, Calibration) {
  const std::string quantize =
      "quantize --model m.h5 --mode static --calibration data --calibration-steps 3 --observer ";
  expect_same(quantize + "histogram --equalize 0.5 --correct-biases", " --micro-batches 8", {3});
  expect_same(quantize + "moving-average --batch-size 3", " --micro-batches 8");  // some micro-batches are empty
  expect_same(quantize + "minmax --micro-batches 1");
}

TEST_F(SharedWork, RankingForPruning) {
  expect_same("prune --model m.h5 --amount 0.4 --data data --calibration-steps 3 --method taylor",
              " --micro-batches 8");
  expect_same("prune --model m.h5 --amount 0.5 --structure head");
  succeed("prune --model m.h5 --amount 0.4 --output p.h5 --quiet");
  expect_same("prune --model p.h5 --amount 0.3 --scope global", "", {2, 3});  // more units are equal than go
  expect_same("prune --model m.h5 --amount 0.5 --scope global --layer-limit 0.52", "", {3});
}

TEST_F(SharedWork, TeachersAnswers) {
  const std::string command =
      "distill --teacher m.h5 --student m.h5 --data data --max-steps 4 --batch-size 8 --hidden-weight 1 --keep-states "
      "--prune.amount 0.5 --prune.method movement --prune.begin 2 --qat.on --quiet --output ";
  succeed(command + "1.h5 --cache one.h5 --log-dir one --micro-batches 8");
  for (int again = 0; again < 2; ++again) {  // the second time the answers are there
    succeed_as(2, command + "n.h5 --cache all.h5 --log-dir all --overwrite");
    EXPECT_EQ(bytes("one.h5"), bytes("all.h5"));
    EXPECT_EQ(bytes("one.states.h5"), bytes("all.states.h5"));
    auto one = objects_of(bytes("one/metrics.jsonl")), all = objects_of(bytes("all/metrics.jsonl"));
    ASSERT_EQ(one.size(), all.size());
    for (size_t i = 0; i < one.size(); ++i)
      for (const char* name : {"loss", "grad_norm", "hard_loss", "soft_loss", "hidden_loss", "eval_loss"})
        EXPECT_EQ(one[i].contains(name) ? one[i][name] : nlohmann::json(),
                  all[i].contains(name) ? all[i][name] : nlohmann::json())
            << name << i;
  }
}

}  // namespace
}  // namespace espalier
