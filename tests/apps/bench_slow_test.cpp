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
