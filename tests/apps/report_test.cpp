// SPDX-License-Identifier: Apache-2.0
// report: its figures are those of evaluate and inspect; its page holds every model, for every kind of answer.
#include "tests/apps/program.h"
#include "tests/apps/reporting/markup_check.h"

namespace espalier {
namespace {

class Report : public Programs {};

TEST_F(Report, ComparesModels) {
  succeed(
      "train_sst2 --model random:tiny --vocab vocab.txt --data data --output dense.h5 --epochs 1 --log-dir dense "
      "--quiet");
  succeed("prune --model dense.h5 --output <&>.h5 --amount 0.5 --structure neuron --shrink --quiet");
  succeed("quantize --model dense.h5 --output int8.h5 --mode dynamic --quiet");
  const std::string report = "report dense.h5 <&>.h5 int8.h5 --data data/dev.tsv --rounds 1 --quiet ";
  const auto lines = objects_of(succeed(report + "--json --output page.html page.md page.json").out);
  ASSERT_EQ(lines.size(), 3U);
  for (const auto& line : lines) {
    const std::string model = line["model"];
    const auto evaluated =
                   objects_of(succeed("evaluate --model " + model + " --data data/dev.tsv --json --quiet").out)[0],
               inspected = objects_of(succeed("inspect " + model + " --json").out)[0];
    for (const char* name : {"eval_accuracy", "eval_loss", "eval_macro_f1"}) EXPECT_EQ(line[name], evaluated[name]);
    for (const char* name : {"file_bytes", "parameters", "sparsity", "flop_per_token"})
      EXPECT_EQ(line[name], inspected[name]) << model;
    for (const char* name : {"eval_samples_per_second", "eval_steps_per_second", "sentences_per_second_one_by_one",
                             "first_answer_ms", "peak_memory_bytes"})
      EXPECT_GT(line[name], 0) << model;
    EXPECT_LE(line["ms_50"], line["ms_90"]);
    EXPECT_LE(line["ms_90"], line["ms_99"]);
    EXPECT_LT(line["eval_accuracy_low"], line["eval_accuracy"]);
  }
  EXPECT_EQ(lines[1]["difference"]["times_smaller"].get<double>(),
            lines[0]["file_bytes"].get<double>() / lines[1]["file_bytes"].get<double>());
  const std::string page = bytes("page.html");
  EXPECT_EQ(fault_of_markup(page), "");
  for (const char* part : {">1 <bdi>dense</bdi>", ">2 <bdi>&lt;&amp;&gt;</bdi>", ">8, 32</td>", "accuracy over size",
                           "class=\"front\"", "Training loss", "Confusion of int8"})
    expect_in(page, part);
  expect_in(bytes("page.md"), "| int8 |");
  const auto whole = objects_of(bytes("page.json"));
  ASSERT_EQ(whole.size(), 1U);
  EXPECT_EQ(whole[0]["models"].size(), 3U);
  const auto table = lines_of(succeed(report).out);
  ASSERT_EQ(table.size(), 4U);
  expect_in(table[0], "one by one/s");
}

// Three numbers, or any of three classes, instead of one class.
TEST_F(Report, KnowsNumbersAndSetsOfClasses) {
  const auto report_on = [&](const std::string& problem, const std::string& first, const std::string& second) {
    const std::string golden = ESPALIER_TESTS_DIR "/golden/hf_model";
    std::filesystem::copy(golden, *this / problem);
    auto config = nlohmann::json::parse(read_bytes(golden + "/config.json"));
    config["problem_type"] = problem;
    write_bytes(*this / (problem + "/config.json"), config.dump());
    std::filesystem::remove(*this / "data/labels.txt");
    for (const char* file : {"data/train.tsv", "data/dev.tsv"})
      write_bytes(*this / file, "sentence\tlabel\ngood film\t" + first + "\nbad film\t" + second + "\n");
    succeed("train_sst2 --data data --max-steps 2 --max-length 20 --output m.h5 --overwrite --quiet --model " +
            problem);
    succeed("report m.h5 " + problem +
            " --data data/dev.tsv --rounds 1 --quiet --overwrite --output m.html m.md m.json");
    EXPECT_EQ(fault_of_markup(bytes("m.html")), "");
    return objects_of(bytes("m.json")).at(0)["models"];
  };
  const auto numbers = report_on("regression", "0.5 -1 2", "1,2,3");
  EXPECT_EQ(numbers[0]["interval"], "bootstrap, 1000 resamples");
  EXPECT_LE(numbers[0]["eval_neg_mse_low"], numbers[0]["eval_neg_mse_high"]);
  EXPECT_GT(numbers[1]["difference"]["mean_distance"], 0);
  EXPECT_FALSE(numbers[0].contains("confusion"));
  const auto sets = report_on("multi_label_classification", "negative,positive", "neutral");
  EXPECT_TRUE(sets[0].contains("eval_f1_low"));
  EXPECT_TRUE(sets[1]["difference"].contains("mcnemar_p"));
  expect_in(bytes("m.html"), "Decisions of m");
}

TEST_F(Report, MistakesAreOneLine) {
  expect_refused("report --data data/dev.tsv", {"models are missing"});
  expect_refused("report nothing.h5 --data data/dev.tsv", {"nothing.h5: there is no such file"});
  expect_refused("report random:tiny --data data/dev.tsv --batch-size 1", {"--batch-size 1"});
  expect_refused("report random:tiny --data data/dev.tsv --rounds 0", {"--rounds 0"});
  expect_refused("report random:tiny --data data/dev.tsv --output no/page.html", {"no/page.html"});
  expect_refused("report random:tiny --data data/dev.tsv --output page.txt", {"page.txt", ".html, .md or .json"});
  expect_refused("report --data data/dev.tsv --output page.html random:tiny", {"--output random:tiny"});
  expect_refused("report random:tiny --data data/dev.tsv --logs nowhere", {"nowhere/metrics.jsonl"});
}

}  // namespace
}  // namespace espalier
