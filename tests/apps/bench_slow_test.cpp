// SPDX-License-Identifier: Apache-2.0
// The measurements of bench that take their time: each prints its figures, and the figures belong together.
#include "tests/apps/program.h"

namespace espalier {
namespace {

class Bench : public Programs {};

TEST_F(Bench, Gemm) {
  const auto rows = objects_of(succeed("bench gemm --steps 1 --batch-size 1 --json --quiet").out);
  EXPECT_EQ(rows.size(), 3U);
  for (const auto& row : rows) {
    EXPECT_EQ(row.at("bench"), "gemm");
    for (const char* kind : {"forward_gflops", "input_gradient_gflops", "weight_gradient_gflops", "int8_forward_gops",
                             "int7_forward_gops", "int4_forward_gops"})
      EXPECT_GT(row.at(kind), 0) << row;
    EXPECT_EQ(row.at("tokens"), 13);
  }
}

TEST_F(Bench, Sparse) {
  const auto rows = objects_of(succeed("bench sparse --steps 1 --batch-size 1 --json --quiet").out);
  EXPECT_GT(rows.size(), 6U);
  for (const auto& row : rows) EXPECT_GT(row.at("speedup"), 0) << row;
  expect_refused("bench sparse --block 32", {"--block 32: expected OUTPUTSxINPUTS"});
}

TEST_F(Bench, Infer) {
  const std::string command = "bench infer --model random:tiny --vocab vocab.txt --data data --steps 1 --quiet";
  std::map<std::string, std::vector<nlohmann::json>> rows;
  for (const auto& row : objects_of(succeed(command + " --json --batch-sizes 1,8 --lengths 8,100000,32").out))
    rows[row.at("figures")].push_back(row);
  ASSERT_EQ(rows["throughput"].size(), 2U);
  for (const auto& row : rows["throughput"]) EXPECT_GT(row.at("sentences_per_second"), 0) << row;
  ASSERT_EQ(rows["requests"].size(), 2U) << "the model has no 100000 positions";
  for (const auto& row : rows["requests"]) {
    EXPECT_GT(row.at("ms_50"), 0) << row;
    EXPECT_LE(row.at("ms_50"), row.at("ms_95")) << row;
    EXPECT_LE(row.at("ms_95"), row.at("ms_99")) << row;
  }
  ASSERT_EQ(rows["limits"].size(), 1U);
  for (const char* name :
       {"products_sentences_per_second", "sentences_per_second", "products_ms", "read_ms", "weight_mb"})
    EXPECT_GT(rows["limits"][0].at(name), 0) << rows["limits"][0];
  ASSERT_EQ(rows["start"].size(), 1U);
  EXPECT_GT(rows["start"][0].at("first_answer_ms"), 0);
  EXPECT_GT(rows["start"][0].at("peak_memory_mb"), 1);

  const std::string text = succeed(command).out;
  for (const char* part : {"sentences a batch", "tokens a request", "limits measured here", "to the first answer"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  expect_refused(command + " --figures speed", {"--figures speed: choose throughput, requests, limits or start"});
  expect_refused(command + " --batch-sizes 8,0", {"--batch-sizes", "1 to 1048576 are expected"});
  expect_refused(command + " --lengths 1", {"--lengths", "2 to 1048576 are expected"});
}

TEST_F(Bench, Attention) {
  const auto rows = objects_of(succeed("bench attention --steps 1 --json --quiet").out);
  ASSERT_GE(rows.size(), 5U);
  int64_t length = 0;
  for (const auto& row : rows) {
    EXPECT_GT(row.at("length"), length);
    length = row["length"];
    EXPECT_GT(row.at("forward_ms"), 0);
    EXPECT_LT(row.at("kept_mb"), 20) << "no [length, length] matrix is kept: " << row;
  }
}

}  // namespace
}  // namespace espalier
