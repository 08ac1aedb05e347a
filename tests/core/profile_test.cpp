// SPDX-License-Identifier: Apache-2.0
#include "core/profile.h"

#include <gtest/gtest.h>

#include <thread>

namespace espalier {
namespace {

TEST(Profile, books_time_and_work_since_the_last_lap) {
  Profile profile;
  work_count().flop += 1000;  // before the start: nobody's
  profile.start();
  work_count().flop += 10;
  work_count().bytes += 4;
  profile.lap("a", Profile::forward);
  work_count().flop += 5;
  profile.lap("b", Profile::forward);
  profile.lap("a", Profile::backward);
  work_count().flop += 7;
  profile.lap("a", Profile::forward);
  const auto& entries = profile.entries();
  ASSERT_EQ(entries.size(), 3U);
  EXPECT_EQ(entries.at({"a", Profile::forward}).calls, 2);
  EXPECT_EQ(entries.at({"a", Profile::forward}).flop, 17);
  EXPECT_EQ(entries.at({"a", Profile::forward}).bytes, 4);
  EXPECT_EQ(entries.at({"b", Profile::forward}).flop, 5);
  EXPECT_EQ(entries.at({"a", Profile::backward}).flop, 0);
}

TEST(Profile, the_laps_of_a_span_add_up_to_it) {
  Profile profile;
  profile.start();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    profile.lap("sleep", Profile::other);
  }
  const double whole = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const double booked = profile.entries().at({"sleep", Profile::other}).seconds;
  EXPECT_GE(booked, 0.006);
  EXPECT_LE(booked, whole + 0.001);
}

}  // namespace
}  // namespace espalier
