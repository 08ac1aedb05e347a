// SPDX-License-Identifier: Apache-2.0
// report: its figures are those of evaluate and inspect; its page holds every model.
#include "apps/cli/comparison.h"

#include "tests/apps/program.h"

namespace espalier {
namespace {

TEST(ParetoFront, HasWhatNoOtherBeats) {
  EXPECT_EQ(pareto_front({1, 2, 3}, {3, 2, 1}), (std::vector<size_t>{0, 1, 2}));
  EXPECT_EQ(pareto_front({1, 2, 3}, {3, 1, 2}), (std::vector<size_t>{0, 2}));
  EXPECT_EQ(pareto_front({1, 1}, {2, 2}), (std::vector<size_t>{0, 1})) << "equals do not beat each other";
  EXPECT_EQ(pareto_front({1, 1}, {2, 3}), (std::vector<size_t>{1}));
}

class Report : public Programs {};

TEST_F(Report, ComparesModels) {
  succeed("train_sst2 --model random:tiny --vocab vocab.txt --data data --output dense.h5 --epochs 1 --quiet");
  succeed("prune --model dense.h5 --output <&>.h5 --amount 0.5 --structure neuron --shrink --quiet");
  succeed("quantize --model dense.h5 --output int8.h5 --mode dynamic --quiet");
  const std::string report = "report dense.h5 <&>.h5 int8.h5 --data data/dev.tsv --rounds 1 --quiet ";
  const auto lines = objects_of(succeed(report + "--json --output page.html").out);
  ASSERT_EQ(lines.size(), 3U);
  for (const auto& line : lines) {
    const std::string model = line["model"];
    const auto evaluated =
                   objects_of(succeed("evaluate --model " + model + " --data data/dev.tsv --json --quiet").out)[0],
               inspected = objects_of(succeed("inspect " + model + " --json").out)[0];
    for (const char* name : {"eval_accuracy", "eval_loss"}) EXPECT_EQ(line[name], evaluated[name]) << model;
    for (const char* name : {"file_bytes", "parameters", "sparsity", "flop_per_token"})
      EXPECT_EQ(line[name], inspected[name]) << model;
    for (const char* name : {"eval_samples_per_second", "eval_steps_per_second", "sentences_per_second_one_by_one"})
      EXPECT_GT(line[name], 0) << model;
  }
  const std::string page = bytes("page.html");
  for (const char* part :
       {"<td>dense.h5</td>", "<td>&lt;&amp;&gt;.h5</td>", "<td>8, 32</td>", "accuracy over size", "class=\"front\""})
    expect_in(page, part);
  size_t points = 0;
  for (size_t at = page.find("<circle"); at != std::string::npos; at = page.find("<circle", at + 1)) ++points;
  EXPECT_EQ(points, 6U);
  const auto table = lines_of(succeed(report).out);
  ASSERT_EQ(table.size(), 4U);
  expect_in(table[0], "one by one/s");
}

TEST_F(Report, MistakesAreOneLine) {
  expect_refused("report --data data/dev.tsv", {"models"});
  expect_refused("report nothing.h5 --data data/dev.tsv", {"nothing.h5: there is no such file"});
  expect_refused("report random:tiny --data data/dev.tsv --batch-size 1", {"--batch-size 1"});
  expect_refused("report random:tiny --data data/dev.tsv --rounds 0", {"--rounds 0"});
  expect_refused("report random:tiny --data data/dev.tsv --output no/page.html", {"no/page.html"});
}

}  // namespace
}  // namespace espalier
