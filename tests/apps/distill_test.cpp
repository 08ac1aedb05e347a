// SPDX-License-Identifier: Apache-2.0
// distill, and train_sst2 with any of pruning, quantization and distillation at once.
#include <unistd.h>

#include <cmath>
#include <csignal>

#include "data/models/checkpoint.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

class DistillPrograms : public Programs {
 protected:
  DistillPrograms() {
    succeed("train_sst2 --model random:mini --vocab vocab.txt --data data --output teacher.h5 --epochs 1 --quiet");
  }
  int64_t caches() const {
    int64_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      count += entry.path().filename().string().starts_with("teacher-") ? 1 : 0;
    return count;
  }
};

const std::string distill = "distill --teacher teacher.h5 --data data --epochs 2 --batch-size 8 --quiet --output ";

TEST_F(DistillPrograms, AStudentIsAModelLikeAnyOther) {
  const auto line = json(distill + "s.h5 --student-layers 0,2 --log-dir log");
  EXPECT_EQ(json("evaluate --model s.h5 --data data/dev.tsv")["eval_accuracy"], line["eval_accuracy"]);
  EXPECT_LT(json("inspect s.h5")["parameters"], json("inspect teacher.h5")["parameters"]);
  EXPECT_EQ(caches(), 1);
  for (const auto& step : objects_of(bytes("log/metrics.jsonl"))) {
    if (step.contains("eval_loss")) continue;
    EXPECT_NEAR(step["loss"].get<double>(),
                0.1 * step["hard_loss"].get<double>() + 0.9 * step["soft_loss"].get<double>(), 1e-5);
  }
  EXPECT_EQ(json(distill + "s.h5 --student-layers second")["eval_loss"], line["eval_loss"]);
  EXPECT_EQ(caches(), 1) << "the logits were there";
  succeed(distill + "s.h5 --student random:tiny --vocab vocab.txt --hidden-weight 1 --embedding-weight 1");
  succeed(distill + "s.h5 --student s.h5 --relation-weight 1 --relation-heads 2 --augment 1 --unlabelled data/dev.tsv");
  succeed("quantize --model teacher.h5 --mode dynamic --output t8.h5 --quiet");
  succeed(
      "distill --teacher t8.h5 teacher.h5 --student-layers first:2 --student teacher.h5 --data data --epochs 1 --quiet "
      "--output s.h5");
}

// Stopping in the middle of a run that does everything changes no bit; nor does any part of it fail alone.
TEST_F(DistillPrograms, EverySubsetTrainsAndResumesToTheSameBits) {
  succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output teacher.h5 --epochs 1 --quiet");
  const std::string parts[] = {" --prune.amount 0.5 --prune.schedule cubic --prune.interval 2",
                               " --qat.on --qat.begin 2 --qat.embedding-bits 8",
                               " --distill.teacher teacher.h5 --distill.hidden-weight 1 --distill.attention-weight 1"};
  for (int subset = 1; subset < 8; ++subset) {
    std::string train =
        "train_sst2 --model teacher.h5 --data data --epochs 2 --batch-size 8 --save-every 5 --quiet --precision bf16";
    for (int i = 0; i < 3; ++i)
      if ((subset >> i & 1) != 0) train += parts[i];
    if (subset == 7) train += " --distill.keep-states";
    const std::string name = std::to_string(subset);
    succeed(train + " --output whole" + name + ".h5");
    Around killed;
    killed.largest_file = bytes("teacher.h5").size() * 3 / 2;
    killed.killed_at_limit = true;
    EXPECT_NE(run(train + " --output parts" + name + ".h5", killed).exit_code, 0);
    succeed(train + " --output parts" + name + ".h5 --resume");
    EXPECT_TRUE(bytes("whole" + name + ".h5") == bytes("parts" + name + ".h5")) << train;
  }
}

// The teacher reads 140,000 sentences; a signal does not wait for the last one.
TEST_F(DistillPrograms, StopsWhileTheTeacherComputes) {
  Process process(folder_.path(), distill + "s.h5 --student-layers 0 --augment 2000");
  usleep(1500000);
  process.send(SIGTERM);
  const Result stopped = process.wait();
  EXPECT_EQ(stopped.exit_code, 128 + SIGTERM) << stopped.err;
  EXPECT_EQ(stopped.err, "distill: stopped; nothing is kept of what it was at\n");
  EXPECT_EQ(caches(), 0);
}

TEST_F(DistillPrograms, MistakesAreOneLine) {
  expect_refused("distill --data data --output s.h5", {"--teacher"});
  expect_refused("distill --teacher teacher.h5 --data data --output s.h5",
                 {"--student or --student-layers is missing"});
  expect_refused(distill + "s.h5 --student-layers 0,9", {"--student-layers 0,9: the model has the layers 0 to 3"});
  expect_refused(distill + "s.h5 --student-layers 0,0", {"0 is named twice"});
  expect_refused(distill + "s.h5 --student-layers x", {"--student-layers x: expected first:N, second, or numbers"});
  const std::string student = distill + "s.h5 --student-layers 0,2 ";
  expect_refused(student + "--alpha 1.5", {"--alpha 1.5", "from 0", "to 1"});
  expect_refused(student + "--temperature 0", {"--temperature 0: a positive number"});
  expect_refused(student + "--hidden-weight 1 --layer-map 0:9", {"the teacher has the layers 0 to 3, not 9"});
  expect_refused(student + "--unlabelled nowhere.tsv", {"nowhere.tsv"});
  expect_refused(student + "--augment -1", {"--augment -1"});
  expect_refused(student + "--hidden-weight 1 --gradient-checkpointing", {"--gradient-checkpointing: keeps nothing"});
  succeed(
      "train_sst2 --model random:tiny --vocab vocab.txt --labels bad,good --data data --output other.h5 --epochs 1 "
      "--quiet");
  expect_refused("distill --teacher other.h5 --student teacher.h5 --data data --output s.h5",
                 {"teacher other.h5: its labels are bad, good"});
  succeed("train_sst2 --model random:tiny --data data --output words.h5 --epochs 1 --quiet");
  expect_refused("distill --teacher words.h5 --student teacher.h5 --data data --output s.h5",
                 {"teacher words.h5: its vocabulary has"});
  succeed(student + "--cache c.h5 --max-steps 1");
  expect_refused(
      "distill --teacher teacher.h5 --student-layers 0 --data data --output s.h5 --cache c.h5 --max-length 5",
      {"c.h5: holds the answers to other sentences"});
  succeed(
      "train_sst2 --model random:mini --seed 3 --vocab vocab.txt --data data --output teacher2.h5 --epochs 1 --quiet");
  expect_refused("distill --teacher teacher2.h5 --student-layers 0 --data data --output s.h5 --cache c.h5",
                 {"c.h5: holds the answers of another teacher"});
  const std::string train = "train_sst2 --model teacher.h5 --data data --output s.h5 ";
  for (const std::string wrong : {"x", "x%", "%", "101%", "-1%", "3 %"})
    for (const auto& [on, option] : {std::pair{"--prune.amount 0.5 ", "--prune.begin"}, {"--qat.on ", "--qat.freeze"}})
      expect_refused(train + on, {option + (" '" + wrong) + "': a step, or a share of the run such as 33%"},
                     {.more = {option + ("=" + wrong)}});
  expect_refused(train + "--prune.amount 0.5 --prune.schedule cubic --prune.begin 50% --prune.end 40%",
                 {"--prune.end ", "a step after the first"});
  expect_refused(train + "--distill.alpha 0.5", {"--distill.alpha: nothing is distilled without --distill.teacher"});
  expect_refused(
      train + "--batch-size 8 --prune.amount 0.5 --prune.schedule cubic --prune.end 20 --qat.on --qat.freeze 10",
      {"--qat.freeze 10: ranges would be fixed while weights are still pruned, up to step 20"});

  const std::string prune = "--prune.amount 0.5 --prune.", qat = "--qat.on --qat.",
                    taught = "--distill.teacher teacher.h5 --distill.";
  for (const auto& [options, words] :
       {std::pair{prune + "interval 5", "--prune.interval: is for linear and cubic schedules"},
        {prune + "end 5", "--prune.end: is for linear and cubic schedules"},
        {prune + "score-rate 0.1", "--prune.score-rate: is for movement and soft-movement"},
        {qat + "mode dynamic --qat.observer minmax", "--qat.observer: is for ranges that are observed"},
        {qat + "mode dynamic --qat.freeze 5", "--qat.freeze: is for ranges that are observed"},
        {qat + "learned true --qat.observer minmax", "--qat.observer: is for ranges that are observed"},
        {qat + "learned true --qat.freeze 5", "--qat.freeze: is for ranges that are observed"},
        {qat + "scale-rate 0.1", "--qat.scale-rate: is for learned scales"},
        {taught + "hidden-loss cosine", "--distill.hidden-loss: is for --distill.hidden-weight, which is 0"},
        {taught + "attention-loss mse", "--distill.attention-loss: is for --distill.attention-weight"},
        {taught + "relation-heads 2", "--distill.relation-heads: is for --distill.relation-weight"},
        {taught + "layer-map last", "--distill.layer-map: is for --distill.hidden-weight or attention-weight"},
        {taught + "projection-rate 0.1", "--distill.projection-rate: is for --distill.hidden-weight or embedding"},
        {taught + "alpha 0 --distill.temperature 3", "--distill.temperature: is for --distill.alpha, which is 0"},
        {taught + "augment-drop 0.2", "--distill.augment-drop: is for --distill.augment, which is 0"},
        {taught + "keep-states", "--distill.keep-states: nothing but logits is compared"}})
    expect_refused(train + options, {words});
}

}  // namespace
}  // namespace espalier
