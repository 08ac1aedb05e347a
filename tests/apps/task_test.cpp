// SPDX-License-Identifier: Apache-2.0
// Losses and metrics of tasks, as options of a training: --class-weights, --label-smoothing, --focal-gamma, --metric;
// and GLUE's eight tasks.
#include <algorithm>
#include <cmath>

#include "tests/apps/program.h"

namespace espalier {
namespace {

using Json = nlohmann::json;

class Tasks : public Programs {
 protected:
  static std::string train(const std::string& output, const std::string& more = "") {
    return "train --model random:tiny --vocab vocab.txt --data data --learning-rate 1e-3 --precision f32 --json "
           "--quiet --output " +
           output + " --log-dir " + output + ".log " + more;
  }
  // What the run says at its end.
  Json trained(const std::string& output, const std::string& more = "") const {
    return objects_of(succeed(train(output, more)).out).at(0);
  }
  // The losses of its steps, or a field of its evaluations.
  std::vector<double> logged(const std::string& output, const std::string& field) const {
    std::vector<double> values;
    for (const Json& line : objects_of(bytes(output + ".log/metrics.jsonl")))
      if (line.contains(field)) values.push_back(line[field].get<double>());
    return values;
  }
  void write(const std::string& header, const std::vector<std::string>& rows, int times = 8) const {
    std::string text = header + '\n';
    for (int i = 0; i < times; ++i)
      for (const std::string& row : rows) text += row + '\n';
    std::filesystem::remove(*this / "data/labels.txt");
    for (const char* file : {"data/train.tsv", "data/dev.tsv"}) write_bytes(*this / file, text);
  }
};

TEST_F(Tasks, BalancedWeightsAreThoseOfTheirFormula) {
  write("sentence\tlabel", {"good film\t1", "bad film\t0", "dull\t0", "fine\t0"});  // 32 sentences: 24 and 8
  const std::string few = "--epochs 2 --batch-size 8 --dropout 0 --shuffle false ";
  trained("balanced", few + "--class-weights balanced");
  trained("numbers", few + "--class-weights 0.66666666666666663,2");  // n / (C n_c)
  EXPECT_EQ(logged("balanced", "loss"), logged("numbers", "loss"));
  trained("plain", few);
  EXPECT_NE(logged("balanced", "loss"), logged("plain", "loss"));
  trained("ones", few + "--class-weights 1,1");
  const std::vector<double> plain = logged("plain", "loss"), ones = logged("ones", "loss");
  ASSERT_EQ(ones.size(), plain.size());
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_NEAR(ones[i], plain[i], 1e-4) << "step " << i;
  trained("accumulated",
          "--epochs 2 --batch-size 2 --accumulate 4 --dropout 0 --shuffle false --class-weights balanced");
  const std::vector<double> parts = logged("accumulated", "loss"), whole = logged("balanced", "loss");
  ASSERT_EQ(parts.size(), whole.size());
  for (size_t i = 0; i < parts.size(); ++i) EXPECT_NEAR(parts[i], whole[i], 1e-4) << "step " << i;
}

TEST_F(Tasks, LossesAreSaidAndResumedWith) {
  const std::string options = "--epochs 1 --class-weights 1,2.5 --label-smoothing 0.1 --focal-gamma 2 ";
  const std::string loud = "train --model random:tiny --vocab vocab.txt --data data --output a.h5 " + options;
  const std::string out = succeed(loud).out;
  EXPECT_NE(
      out.find("training loss: class weights negative 1, positive 2.5, label smoothing 0.1, focal gamma 2; the dev "
               "loss has none of these"),
      std::string::npos)
      << out;
  expect_refused(
      "train --model random:tiny --vocab vocab.txt --data data --output a.h5 --epochs 1 --resume --metric loss",
      {"a.h5: --class-weights was [1.0,2.5] and is now []"});
}

TEST_F(Tasks, TheNamedMetricChoosesTheBestCheckpoint) {
  const std::string often = "--epochs 4 --evaluate-every 1 ";
  const Json by_loss = trained("loss.h5", often + "--metric loss");
  const std::vector<double> losses = logged("loss.h5", "eval_loss");
  EXPECT_EQ(by_loss["eval_loss"], std::ranges::min(losses));
  EXPECT_EQ(by_loss["best_step"], std::ranges::min_element(losses) - losses.begin() + 1);
  const Json by_matthews = trained("matthews.h5", often + "--metric matthews");
  const std::vector<double> correlations = logged("matthews.h5", "eval_matthews");
  EXPECT_EQ(by_matthews["eval_matthews"], std::ranges::max(correlations));
  EXPECT_EQ(by_matthews["best_step"], std::ranges::max_element(correlations) - correlations.begin() + 1);
  EXPECT_EQ(logged("loss.h5", "loss"), logged("matthews.h5", "loss")) << "the metric does not change the training";
}

// A class that dev.tsv does not have is no error where the metric can do without.
TEST_F(Tasks, DevDataMayLackAClass) {
  write("sentence\tlabel", {"good film\t2", "bad film\t0", "dull\t1"});
  write_bytes(*this / "data/dev.tsv", "sentence\tlabel\ngood\t2\nbad\t0\n");
  for (const char* metric : {"accuracy", "macro_f1", "matthews", "roc_auc", "calibration_error", "loss"})
    EXPECT_TRUE(trained("a.h5", std::string("--overwrite --max-steps 2 --metric ") + metric)
                    .contains(std::string("eval_") + metric))
        << metric;
  write_bytes(*this / "data/dev.tsv", "sentence\tlabel\ngood\t2\nfine\t2\n");
  EXPECT_TRUE(trained("a.h5", "--overwrite --max-steps 2 --metric macro_f1").contains("eval_macro_f1"));
  expect_refused(train("b.h5", "--metric roc_auc"),
                 {"--metric roc_auc: is not defined for the dev sentences, whose labels are all the same"});
  EXPECT_FALSE(exists("b.h5"));
}

TEST_F(Tasks, OptionsThatDoNotFitAreRefused) {
  for (const char* weights : {"-1,2", "0,0", "1,", "1,x", "nan,1", "inf,1", "heavy"})
    expect_refused("train --model random:tiny --data data --output a.h5 --class-weights=" + std::string(weights),
                   {"--class-weights", "balanced, or numbers from 0 on"});
  expect_refused(train("a.h5", "--class-weights 1,2,3"),
                 {"--class-weights: 3 weights for the classes 'negative', 'positive'; expected 2"});
  expect_refused(train("a.h5", "--label-smoothing 1"), {"--label-smoothing 1: a share from 0 to below 1 is expected"});
  expect_refused(train("a.h5", "--label-smoothing=-0.1"), {"--label-smoothing"});
  expect_refused(train("a.h5", "--focal-gamma=-1"), {"--focal-gamma -1: a number from 0 to 100 is expected"});
  expect_refused(train("a.h5", "--metric f2"),
                 {"--metric f2: this task has no such metric; choose accuracy, macro_f1"});
  expect_refused(train("a.h5", "--metric pearson"), {"--metric pearson: this task has no such metric"});
  write("sentence\tlabel", {"good film\t1", "fine\t1"});
  expect_refused(train("a.h5", "--labels negative,positive --class-weights balanced"),
                 {"--class-weights balanced: the training sentences have 1 of the classes; expected at least two"});
  write("sentence\tlabel", {"good film\t0 1", "fine\t1 1"});
  expect_refused(train("a.h5", "--task multi-label --class-weights balanced"),
                 {"--class-weights balanced: all 16 training sentences have 'LABEL_1'"});
  write("sentence\tlabel", {"good film\t0.5", "fine\t1.5"});
  for (const char* option :
       {"--class-weights balanced", "--class-weights 1,2", "--label-smoothing 0.1", "--focal-gamma 2"})
    expect_refused(train("a.h5", std::string("--task regression ") + option),
                   {std::string(option).substr(0, std::string(option).find(' ')) + ": this model's task"});
  expect_refused(train("a.h5", "--task regression --metric accuracy"),
                 {"this task has no such metric; choose neg_mse, mse, mae, r2, pearson, spearman or loss"});
}

// The losses of a student to its labels are weighed, too.
TEST_F(Tasks, DistillationHasTheWeightsInItsHardLoss) {
  trained("teacher.h5", "--max-steps 2");
  const std::string student =
      "distill --teacher teacher.h5 --student-layers 0 --data data --max-steps 1 --dropout 0 --precision f32 --quiet ";
  const auto hard = [&](const std::string& name, const std::string& more) {
    succeed(student + "--output " + name + ".h5 --log-dir " + name + ".log " + more);
    return logged(name, "hard_loss").at(0);
  };
  const double plain = hard("plain", ""), weighted = hard("weighted", "--class-weights 1,0");
  EXPECT_NE(plain, weighted);
  succeed(
      "distill --teacher teacher.h5 --student-layers 0 --data data --max-steps 1 --output s.h5 --metric loss --quiet");
}

// Made-up data in the shape of each task; docs/measure/glue_shapes.py trains more of it.
TEST_F(Tasks, GlueIsTrainedByItsMetrics) {
  struct Shape {
    std::string name, header, metric, more;
    std::vector<std::string> labels;
  };
  const std::vector<std::string> two = {"0", "1"}, words = {"entailment", "not_entailment"};
  for (const Shape& task : std::vector<Shape>{
           {"CoLA", "sentence\tlabel", "matthews", "", two},
           {"SST-2", "sentence\tlabel", "accuracy", "", two},
           {"MRPC", "sentence1\tsentence2\tlabel", "f1", "", two},
           {"QQP", "question1\tquestion2\tlabel", "f1", "", two},
           {"STS-B", "sentence1\tsentence2\tscore", "pearson", "--task regression", {"0.5", "2.25", "5.0"}},
           {"MNLI", "premise\thypothesis\tlabel", "accuracy", "", {"contradiction", "entailment", "neutral"}},
           {"QNLI", "question\tsentence\tlabel", "accuracy", "", words},
           {"RTE", "sentence1\tsentence2\tlabel", "accuracy", "", words}}) {
    const bool pair = std::ranges::count(task.header, '\t') == 2;
    std::vector<std::string> rows;
    for (size_t c = 0; c < task.labels.size(); ++c)
      rows.push_back((pair ? "the film\t" : "") +
                     std::string(c == 0   ? "bad"
                                 : c == 1 ? "good film"
                                          : "a film") +
                     '\t' + task.labels[c]);
    write(task.header, rows, 4);
    const Json end = trained("a.h5", "--overwrite --epochs 2 --metric " + task.metric + ' ' + task.more);
    EXPECT_TRUE(std::isfinite(end.at("eval_" + task.metric).get<double>())) << task.name;
    const Json found = objects_of(succeed("evaluate --model a.h5 --data data/dev.tsv --quiet --json").out).at(0);
    EXPECT_NEAR(found["eval_" + task.metric].get<double>(), end["eval_" + task.metric].get<double>(), 1e-3)
        << task.name;
    EXPECT_EQ(found["labels"].size(), task.name == "STS-B" ? 1U : task.labels.size()) << task.name;
  }
}

}  // namespace
}  // namespace espalier
