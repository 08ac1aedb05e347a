// SPDX-License-Identifier: Apache-2.0
// evaluate, predict and tokenize: their figures hold against each other and against what can be computed from them.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <sstream>

#include "data/text/tokenizer.h"
#include "tests/apps/program.h"

namespace espalier {
namespace {

const std::string golden = ESPALIER_TESTS_DIR "/golden/hf_model";  // three labels, 20 positions
const std::string model = " --model " + golden + " --max-length 20 --quiet";

class Evaluate : public Programs {
 protected:
  // The sentences of data/dev.tsv, one a line, and their labels.
  Evaluate() {
    std::filesystem::remove(*this / "data/labels.txt");  // the model has three labels of its own
    const auto rows = lines_of(bytes("data/dev.tsv"));
    for (size_t i = 1; i < rows.size(); ++i) {
      const size_t tab = rows[i].find('\t');
      sentences_.push_back(rows[i].substr(0, tab));
      labels_.push_back(static_cast<size_t>(std::stoi(rows[i].substr(tab + 1))));
      text_ += sentences_.back() + '\n';
    }
  }

  std::vector<std::vector<double>> logits(const std::string& name = "logits.tsv") const {
    std::vector<std::vector<double>> rows;
    for (const std::string& line : lines_of(bytes(name))) {
      std::istringstream numbers(line);
      rows.emplace_back(std::istream_iterator<double>(numbers), std::istream_iterator<double>());
    }
    return rows;
  }

  std::vector<std::string> sentences_;
  std::vector<size_t> labels_;
  std::string text_;
};

std::vector<double> softmax_of(std::vector<double> row) {
  for (double& value : row) value = std::exp(value);
  const double sum = std::accumulate(row.begin(), row.end(), 0.0);
  for (double& value : row) value /= sum;
  return row;
}

void expect_near(const std::vector<std::vector<double>>& a, const std::vector<std::vector<double>>& b,
                 double distance) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].size(), b[i].size());
    for (size_t c = 0; c < a[i].size(); ++c) EXPECT_NEAR(a[i][c], b[i][c], distance) << "row " << i;
  }
}

TEST_F(Evaluate, MetricsFollowFromTheLogits) {
  const Result result = succeed("evaluate --data data/dev.tsv --logits logits.tsv --json" + model);
  EXPECT_EQ(result.err, "");
  const auto objects = objects_of(result.out);
  ASSERT_EQ(objects.size(), 1U);
  const nlohmann::json& metrics = objects[0];
  for (const char* name :
       {"eval_runtime", "eval_samples_per_second", "eval_steps_per_second", "model_preparation_time"})
    EXPECT_GT(metrics.at(name), 0) << name;
  const double runtime = metrics["eval_runtime"];
  EXPECT_NEAR(metrics["eval_samples_per_second"].get<double>() * runtime, 20, 1e-6);
  EXPECT_NEAR(metrics["eval_steps_per_second"].get<double>() * runtime, 1, 1e-6);

  const auto rows = logits();
  ASSERT_EQ(rows.size(), 20U);
  double loss = 0, correct = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    ASSERT_EQ(rows[i].size(), 3U);
    loss -= std::log(softmax_of(rows[i])[labels_[i]]) / 20;
    correct += std::max_element(rows[i].begin(), rows[i].end()) - rows[i].begin() == static_cast<int64_t>(labels_[i]);
  }
  EXPECT_NEAR(metrics.at("eval_loss").get<double>(), loss, 1e-5);
  EXPECT_EQ(metrics.at("eval_accuracy"), correct / 20);

  const Result table = succeed("evaluate --data data/dev.tsv" + model);
  EXPECT_TRUE(table.out.starts_with("eval_accuracy ")) << table.out;
}

// The same counts in each form: the confusion matrix, its margins, and what follows from them.
TEST_F(Evaluate, ReportsEachClass) {
  const std::string command = "evaluate --data data/dev.tsv --logits logits.tsv" + model;
  const nlohmann::json found = objects_of(succeed(command + " --json").out).at(0);
  const auto rows = logits();
  std::vector<std::vector<int>> counts(3, std::vector<int>(3));
  for (size_t i = 0; i < rows.size(); ++i)
    ++counts[labels_[i]][static_cast<size_t>(std::ranges::max_element(rows[i]) - rows[i].begin())];
  EXPECT_EQ(found["confusion_matrix"].get<std::vector<std::vector<int>>>(), counts);
  const auto names = found["labels"].get<std::vector<std::string>>();
  ASSERT_EQ(names.size(), 3U);
  const std::vector<std::string> table = lines_of(succeed(command).out);
  for (size_t c = 0; c < 3; ++c) {
    const nlohmann::json& row = found["classes"][names[c]];
    const int support = std::accumulate(counts[c].begin(), counts[c].end(), 0);
    EXPECT_EQ(row["support"], support);
    EXPECT_EQ(row["recall"], support > 0 ? static_cast<double>(counts[c][c]) / support : 0);
    EXPECT_EQ(std::ranges::count_if(table, [&](const std::string& line) { return line.starts_with(names[c] + ' '); }),
              2)
        << "a row in each table";
  }
  EXPECT_EQ(found["averages"]["macro"]["f1"], found["eval_macro_f1"]);
  EXPECT_EQ(found["averages"]["micro"]["precision"], found["eval_accuracy"]);
}

// What cannot be had is said, not left as a NaN.
TEST_F(Evaluate, SaysWhichMetricsAreNotDefined) {
  write_bytes(*this / "one.tsv", "sentence\tlabel\ngood\t0\nfine\t0\n");
  const std::string command = "evaluate --data one.tsv" + model;
  EXPECT_TRUE(objects_of(succeed(command + " --json").out).at(0).at("eval_roc_auc").is_null());
  const std::string out = succeed(command).out;
  EXPECT_NE(out.find("eval_roc_auc               not defined: the labels, or the answers, are all the same"),
            std::string::npos)
      << out;
  EXPECT_EQ(out.find("nan"), std::string::npos) << out;
}

TEST_F(Evaluate, BatchSizeAndThreadsDoNotMatter) {
  succeed("evaluate --data data/dev.tsv --logits logits.tsv" + model);
  const auto rows = logits();
  ASSERT_EQ(rows.size(), 20U);
  EXPECT_NE(rows[0], rows[1]);
  for (const char* batch : {"1", "7", "64"}) {
    succeed("evaluate --data data/dev.tsv --logits other.tsv --batch-size " + std::string(batch) + model);
    expect_near(logits("other.tsv"), rows, 1e-5);
  }
  succeed("evaluate --data data/dev.tsv --logits one.tsv --threads 1" + model);
  EXPECT_EQ(bytes("one.tsv"), bytes("logits.tsv"));
}

TEST_F(Evaluate, PredictAgreesRowByRow) {
  succeed("evaluate --data data/dev.tsv --logits logits.tsv" + model);
  const auto rows = logits();
  const Result result = succeed("predict --precision f32 --json" + model, {.input = text_});
  EXPECT_EQ(result.err, "");
  const auto predictions = objects_of(result.out);
  ASSERT_EQ(predictions.size(), rows.size());
  const std::vector<std::string> names = {"negative", "neutral", "positive"};
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto p = predictions[i]["probabilities"].get<std::vector<double>>(), expected = softmax_of(rows[i]);
    ASSERT_EQ(p.size(), 3U);
    for (size_t c = 0; c < 3; ++c) EXPECT_NEAR(p[c], expected[c], 1e-5) << i;
    const auto best = std::max_element(p.begin(), p.end());
    EXPECT_EQ(predictions[i]["label"], names[static_cast<size_t>(best - p.begin())]);
    EXPECT_EQ(predictions[i]["probability"], *best);
    EXPECT_EQ(predictions[i]["text"], sentences_[i]);
  }
  EXPECT_EQ(succeed("predict --precision f32 --json" + model, {.more = sentences_}).out, result.out)
      << "arguments as lines of stdin";
}

TEST_F(Evaluate, PairsAreSeparatedByATab) {
  write_bytes(*this / "pairs.tsv", "sentence2\tlabel\tsentence\nbad .\t1\tthe film\na dull plot\t0\tgood\n");
  succeed("evaluate --data pairs.tsv --logits logits.tsv" + model);
  const auto rows = logits();
  ASSERT_EQ(rows.size(), 2U);
  const auto predictions = objects_of(succeed("predict --precision f32 --json" + model,
                                              {.input = "the film\tbad .\ngood\ta dull plot\nthe film bad .\n"})
                                          .out);
  ASSERT_EQ(predictions.size(), 3U);
  for (size_t i = 0; i < 2; ++i)
    for (size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(predictions[i]["probabilities"][c].get<double>(), softmax_of(rows[i])[c], 1e-5);
  EXPECT_NE(predictions[2]["probabilities"], predictions[0]["probabilities"]) << "one text is no pair";
}

TEST_F(Evaluate, WithoutLabelsThereIsNoLoss) {
  write_bytes(*this / "plain.tsv", "sentence\n" + text_);
  const auto metrics = objects_of(succeed("evaluate --data plain.tsv --logits plain.txt --json" + model).out).at(0);
  EXPECT_FALSE(metrics.contains("eval_loss") || metrics.contains("eval_accuracy"));
  EXPECT_EQ(metrics.size(), 4U);
  succeed("evaluate --data data/dev.tsv --logits logits.tsv" + model);
  EXPECT_EQ(bytes("plain.txt"), bytes("logits.tsv"));
}

TEST_F(Evaluate, TestSplitsHaveLogits) {
  std::string rows = "sentence\tlabel\n";
  for (const std::string& sentence : sentences_) rows += sentence + "\t-1\n";
  write_bytes(*this / "test.tsv", rows + "\n");
  const std::string loud = model.substr(0, model.find(" --quiet"));
  const Result result = succeed("evaluate --data test.tsv --logits test.txt --json" + loud);
  EXPECT_EQ(objects_of(result.out).at(0).size(), 4U);
  expect_in(result.err, "test.tsv has no labels: no loss and no accuracy");
  succeed("evaluate --data data/dev.tsv --logits logits.tsv" + model);
  EXPECT_EQ(bytes("test.txt"), bytes("logits.tsv"));
}

TEST_F(Evaluate, PredictForPeople) {
  const Result result = succeed("predict" + model, {.more = {"a good film .", ""}});
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 2U);
  const size_t tab = lines[0].find('\t');
  const std::string label = lines[0].substr(0, tab);
  EXPECT_TRUE(label == "negative" || label == "neutral" || label == "positive") << label;
  EXPECT_TRUE(lines[0].ends_with("\ta good film .")) << lines[0];
  const double p = std::stod(lines[0].substr(tab + 1));
  EXPECT_TRUE(p > 1.0 / 3 && p <= 1) << p;
  EXPECT_EQ(succeed("predict" + model, {.input = ""}).out, "");
  EXPECT_EQ(lines_of(succeed("predict" + model, {.input = "a film\nthe end without a line break"}).out).size(), 2U);
}

TEST_F(Evaluate, CheckpointNeedsNothingElse) {
  succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output m.h5 --max-steps 2 --quiet");
  const std::string before = succeed("predict --model m.h5", {.input = text_}).out;
  std::filesystem::remove_all(*this / "data");
  std::filesystem::remove(*this / "vocab.txt");
  std::filesystem::rename(*this / "m.h5", *this / "moved");
  EXPECT_EQ(succeed("predict --model moved", {.input = text_}).out, before);
  EXPECT_EQ(lines_of(before).size(), 20U);
}

TEST_F(Evaluate, TokenizeGivesTheTokenizersIds) {
  const Tokenizer tokenizer = Tokenizer::from_directory(golden);
  std::string expected, shortened, objects;
  for (const std::string& sentence : sentences_) {
    const auto join = [&](int max_length) {
      std::string line;
      for (const int32_t id : tokenizer.encode(sentence, max_length).ids)
        line += (line.empty() ? "" : " ") + std::to_string(id);
      return line + '\n';
    };
    expected += join(512);
    shortened += join(4);
  }
  EXPECT_NE(expected, shortened);
  const std::string tokenize = "tokenize --model " + golden;
  EXPECT_EQ(succeed(tokenize, {.input = text_}).out, expected);
  EXPECT_EQ(succeed(tokenize + " --max-length 4", {.input = text_}).out, shortened);
  EXPECT_EQ(succeed(tokenize, {.input = "\n"}).out, "2 3\n");
  EXPECT_EQ(succeed(tokenize).out, "");
  EXPECT_EQ(succeed(tokenize, {.input = "\xef\xbb\xbf" + text_}).out, expected) << "a byte order mark";
  EXPECT_EQ(lines_of(succeed(tokenize, {.input = "the\r\n\nthe"}).out).size(), 3U);
  const auto lines = objects_of(succeed(tokenize + " --json", {.input = text_}).out);
  ASSERT_EQ(lines.size(), sentences_.size());
  for (size_t i = 0; i < lines.size(); ++i) EXPECT_EQ(lines[i]["ids"], tokenizer.encode(sentences_[i], 512).ids);

  succeed("train_sst2 --data data --output m.h5 --labels a,b,c --max-steps 1" + model);
  EXPECT_EQ(succeed("tokenize --model m.h5", {.input = text_}).out, expected) << "the checkpoint has the vocabulary";
}

}  // namespace
}  // namespace espalier
