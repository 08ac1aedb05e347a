// SPDX-License-Identifier: Apache-2.0
// One process, which nothing below core/ranks.h changes, and what the environment says of several.
#include "core/ranks.h"

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cstdlib>

#include "core/ranks/join.h"
#include "core/ranks/watch.h"

namespace espalier {
namespace {

TEST(Ranks, OneProcessIsAlone) {
  EXPECT_EQ(ranks(), 1);
  EXPECT_TRUE(is_first_rank());
  EXPECT_EQ(name_of_rank(0), "rank 0");
  EXPECT_EQ(gather_all(std::string_view("a")), std::vector<std::string>{"a"});
  EXPECT_EQ(gather_all(std::array{1.5, 2.5}), (std::vector<double>{1.5, 2.5}));
  EXPECT_TRUE(any_rank(true));
  EXPECT_FALSE(any_rank(false));
  expect_same_on_all("the data", "any");
  leave_ranks();
  EXPECT_EQ(traffic().bytes_sent, 0);
}

TEST(Ranks, TheEnvironmentSaysWhoStartedTheProgram) {
  EXPECT_FALSE(started_by_mpirun());
  setenv("SLURM_STEP_NUM_TASKS", "4", 1);  // of a whole job: the program may be alone in it
  EXPECT_FALSE(started_by_mpirun());
  setenv("PMIX_RANK", "3", 1);
  EXPECT_EQ(started().ranks, 4);
  EXPECT_EQ(started().rank, 3);
  setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
  setenv("OMPI_COMM_WORLD_RANK", "0", 1);
  EXPECT_EQ(started().ranks, 1);
  EXPECT_TRUE(started_by_mpirun());
  for (const char* name : {"SLURM_STEP_NUM_TASKS", "PMIX_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"})
    unsetenv(name);
}

TEST(Ranks, ASilentRankIsLostUnlessThisProcessWasStoppedItself) {
  using std::chrono::seconds;
  Watch watch(1, 3);
  const auto start = Watch::Clock::now();
  for (int second = 1; second < 30; ++second) EXPECT_EQ(watch.lost(start + seconds(second)), "") << second;
  const std::string line = watch.lost(start + seconds(31));
  EXPECT_NE(line.find("rank 0 has not answered for 30 s"), line.npos) << line;

  Watch stopped(0, 2);
  EXPECT_EQ(stopped.lost(Watch::Clock::now() + seconds(100)), "");
}

}  // namespace
}  // namespace espalier
