// SPDX-License-Identifier: Apache-2.0
// pretrain, and train --pretrain.*: the same bits after stops and with micro-batches in any processes; what is refused.
#include <unistd.h>

#include <csignal>

#include "data/models/checkpoint.h"
#include "tests/apps/bad_input.h"
#include "tests/apps/mpirun.h"

namespace espalier {
namespace {

class Pretrain : public BadInput {
 protected:
  Pretrain() {
    std::string text;
    for (unsigned d = 0; d < 30; ++d) {
      for (const std::string& line : lines_of(reviews(4, d))) text += line.substr(0, line.find('\t')) + "\n";
      text += "\n";
    }
    write("text.txt", text);
  }

  static std::string command(const Options& changes = {}) {
    Options options = changes;
    const Options all = {{"model", "random:tiny"},
                         {"vocab", "vocab.txt"},
                         {"corpus", "text.txt"},
                         {"output", "pre.h5"},
                         {"batch-size", "4"},
                         {"max-length", "24"},
                         {"max-steps", "12"},
                         {"epochs", "9"},
                         {"shuffle-window", "0.002"},
                         {"validation-split", "0.1"},
                         {"learning-rate", "1e-3"},
                         {"precision", "f32"},
                         {"threads", "2"},
                         {"quiet", ""},
                         {"overwrite", ""}};
    options.insert(all.begin(), all.end());
    return command_line("pretrain", options);
  }
};

TEST_F(Pretrain, LearnsAndTrainGoesOnFromIt) {
  const auto result = objects_of(succeed(command({{"max-steps", "80"}}) + " --json").out).front();
  EXPECT_LT(result["eval_masked_loss"].get<double>(), 4.6);
  EXPECT_TRUE(result.contains("eval_pair_loss"));
  succeed("train --model pre.h5 --data data --output m2.h5 --max-steps 2 --quiet");
  EXPECT_EQ(Checkpoint(*this / "m2.h5").contents().config.head, "classification");
}

TEST_F(Pretrain, ThreadsDoNotChangeABitAndNeitherDoStops) {
  succeed(command({{"output", "whole.h5"}, {"threads", "1"}, {"whole-word", ""}, {"accumulate", "2"}}));
  const std::string parts =
      command({{"whole-word", ""}, {"accumulate", "2"}, {"save-every", "1"}, {"log-dir", "log"}}) + " --resume";
  for (const size_t steps : {2U, 5U, 9U}) {
    Process process(folder_.path(), parts);
    while (process.runs() && lines_of(bytes("log/metrics.jsonl")).size() < steps) usleep(300);
    process.send(steps == 5 ? SIGTERM : SIGKILL);
    if (process.wait().exit_code == 0) break;
  }
  succeed(parts);
  ASSERT_FALSE(bytes("whole.h5").empty());
  EXPECT_TRUE(bytes("whole.h5") == bytes("pre.h5"));
}

TEST_F(Pretrain, OneCommandPretrainsOnTheTextOfTheTask) {
  const std::string both =
      "train --model random:tiny --vocab vocab.txt --data data --max-steps 3 --precision f32 --quiet";
  succeed(both + " --output a.h5 --pretrain.epochs 1 --pretrain.batch-size 8 --seed 3");
  ASSERT_TRUE(exists("a.pretrained.h5"));
  succeed("train --model a.pretrained.h5 --data data --max-steps 3 --precision f32 --quiet --output b.h5 --seed 3");
  const auto weights = [&](const char* name) {
    Tensor x({2, 128});
    Checkpoint(*this / name).root().group("weights").read_into("classifier.weight", x);
    return std::vector<float>(x.span<float>().begin(), x.span<float>().end());
  };
  EXPECT_EQ(weights("a.h5"), weights("b.h5"));
  expect_refused(both + " --output c.h5 --pretrain.batch-size 8", {"nothing is pre-trained without --pretrain.epochs"});
}

TEST_F(Pretrain, MoreThanTheCorpusHasIsTakenFromTheNextPass) {
  write("few.txt", "good film\nbad plot\n\nthe end\ngood music\n");
  succeed(command({{"corpus", "few.txt"}, {"batch-size", "64"}, {"max-steps", "2"}}));
}

// Masked words of a teacher, its relations alone, and what does not fit.
TEST_F(Pretrain, LearnsFromATeacher) {
  succeed(command({{"output", "teacher.h5"}}));
  succeed(command({{"distill.teacher", "teacher.h5"}, {"log-dir", "log"}, {"distill.alpha", "0.5"}}));
  const auto first = objects_of(bytes("log/metrics.jsonl")).front();
  EXPECT_GE(first["soft_loss"].get<double>(), 0);
  EXPECT_NEAR(first["loss"].get<double>(),
              0.5 * first["soft_loss"].get<double>() + 0.5 * first["hard_loss"].get<double>(), 1e-4);
  succeed("train --model random:tiny --vocab vocab.txt --data data --output labels.h5 --max-steps 1 --quiet");
  const std::string relations = " --distill.alpha 0 --distill.hard-weight 0 --distill.relation-weight 1";
  succeed(command({{"distill.teacher", "labels.h5"}, {"accumulate", "2"}}) + relations);
  expect_refused(command({{"distill.teacher", "labels.h5"}}), {"has no decoder of masked words"});
  expect_refused(command({{"distill.teacher", golden}}) + relations, {"teacher " + golden, "vocabulary has"});
  expect_refused(command({{"distill.teacher", "teacher.h5"}, {"distill.cache", "c.h5"}}), {"are for tables"});
}

// A batch that is cut into micro-batches has the same bits in any number of processes.
TEST_F(Pretrain, RanksDoNotChangeABit) {
  if (const std::string why = no_ranks(); !why.empty()) GTEST_SKIP() << why;
  succeed(command({{"micro-batches", "8"}, {"output", "one.h5"}, {"threads", "1"}}));
  succeed(command({{"output", "two.h5"}, {"threads", "1"}, {"micro-batches", "8"}}), {.ranks = 2});
  ASSERT_FALSE(bytes("one.h5").empty());
  EXPECT_TRUE(bytes("one.h5") == bytes("two.h5"));
}

// Its micro-batches are those that it began with, and not those of the fine-tuning.
TEST_F(Pretrain, BeforeTrainGoesOnWithAnotherNumberOfRanks) {
  if (const std::string why = no_ranks(); !why.empty()) GTEST_SKIP() << why;
  const std::string both =
      "train --model random:tiny --vocab vocab.txt --data data --max-steps 2 --quiet --threads 1 --micro-batches 4 "
      "--output a.h5 --pretrain.epochs 1 --pretrain.max-steps 2";
  succeed(both, {.ranks = 2});
  EXPECT_EQ(Checkpoint(*this / "a.pretrained.h5").contents().options.at("pretrain").integer("micro-batches", 0), 8);
  const std::string trained = bytes("a.h5");
  std::filesystem::remove(*this / "a.h5");
  succeed(both + " --resume", {.ranks = 3});
  EXPECT_TRUE(bytes("a.h5") == trained);
}

TEST_F(Pretrain, BadInputIsNamed) {
  write("empty.txt", "");
  write("latin.txt", "good\n\ncaf\xe9 film\n");
  write("one.txt", "good film\nbad film\n");
  write("lines.txt", "good film\n\nbad film\n");
  std::string without;
  for (const std::string& token : lines_of(bytes("vocab.txt")))
    if (token != "[MASK]") without += token + "\n";
  write("without.txt", without);
  const std::string start = "pretrain --output p.h5 --model random:tiny --quiet";
  expect_all_refused(start,
                     {
                         {"--vocab vocab.txt --corpus no.txt", {"no.txt"}},
                         {"--vocab vocab.txt --corpus empty.txt", {"empty.txt: holds no text"}},
                         {"--vocab vocab.txt --corpus latin.txt", {"latin.txt:3: is not UTF-8"}},
                         {"--vocab vocab.txt --corpus one.txt", {"one.txt: is one document", "--next-sentence false"}},
                         {"--vocab vocab.txt --corpus lines.txt", {"lines.txt: each of the 2 documents has one line"}},
                         {"--vocab vocab.txt --corpus one.txt --next-sentence false",
                          {"--validation-split: the corpus has one document"}},
                         {"--vocab without.txt --corpus text.txt", {"has no [MASK]"}},
                         {"--vocab vocab.txt --corpus text.txt --max-length 5", {"at least 8 is expected"}},
                         {"--vocab vocab.txt --corpus text.txt --mask-share 0.9", {"--mask-share 0.9"}},
                         {"--vocab vocab.txt", {"--corpus is required"}},
                     });
}

}  // namespace
}  // namespace espalier
