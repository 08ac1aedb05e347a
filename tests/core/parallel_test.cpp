// SPDX-License-Identifier: Apache-2.0
#include "core/parallel.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "core/check.h"

namespace espalier {
namespace {

class ParallelTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override { set_threads(GetParam()); }
  void TearDown() override { set_threads(0); }
};

TEST_P(ParallelTest, calls_every_index_once) {
  EXPECT_EQ(threads(), GetParam());
  for (const int64_t count : {0, 1, 2, 3, 1000}) {
    std::vector<std::atomic<int>> calls(static_cast<size_t>(count) + 1);
    parallel_for(count, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
    for (int64_t i = 0; i < count; ++i) ASSERT_EQ(calls[static_cast<size_t>(i)], 1) << i << " of " << count;
    EXPECT_EQ(calls.back(), 0);
  }
  parallel_for(-1, [](int64_t) { FAIL(); });
}

TEST_P(ParallelTest, pieces_depend_on_the_size_alone) {
  using Pieces = std::set<std::pair<int64_t, int64_t>>;
  const auto pieces = [](int64_t rows, int64_t grain) {
    Pieces found;
    std::mutex mutex;
    parallel_rows(rows, grain, [&](int64_t begin, int64_t end) {
      const std::lock_guard lock(mutex);
      EXPECT_TRUE(found.emplace(begin, end).second);
    });
    return found;
  };
  EXPECT_EQ(pieces(10, 4), (Pieces{{0, 4}, {4, 8}, {8, 10}}));
  EXPECT_EQ(pieces(8, 4), (Pieces{{0, 4}, {4, 8}}));
  EXPECT_EQ(pieces(2, 100), (Pieces{{0, 2}}));
  EXPECT_EQ(pieces(2, 0), (Pieces{{0, 1}, {1, 2}}));
  EXPECT_EQ(pieces(0, 4), (Pieces{}));
}

TEST_P(ParallelTest, rethrows_and_goes_on_working) {
  for (int round = 0; round < 3; ++round) {
    try {
      parallel_for(100, [](int64_t i) { CHECK(i != 57, "index ", i); });
      FAIL() << "nothing was thrown";
    } catch (const Error& e) { EXPECT_STREQ(e.what(), "index 57"); }
    std::atomic<int> calls = 0;
    parallel_for(100, [&](int64_t) { ++calls; });
    EXPECT_EQ(calls, 100);
  }
}

TEST_P(ParallelTest, sections_may_be_nested) {
  std::vector<std::atomic<int>> calls(20 * 30);
  parallel_for(20, [&](int64_t i) { parallel_for(30, [&](int64_t j) { ++calls[static_cast<size_t>(i * 30 + j)]; }); });
  for (const auto& c : calls) ASSERT_EQ(c, 1);
  EXPECT_THROW(parallel_for(4, [](int64_t) { parallel_for(4, [](int64_t j) { CHECK(j != 3, ""); }); }), Error);
}

TEST_P(ParallelTest, a_team_runs_every_task_of_many_sections_once) {
  for (int round = 0; round < 20; ++round) {
    std::vector<std::atomic<int>> calls(97);
    with_team([&] {
      for (int64_t section = 0; section < 200; ++section)
        parallel_for(1 + section % 97, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
      parallel_for(10, [&](int64_t) { parallel_for(10, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; }); });
    });
    int all = 0;
    for (const auto& c : calls) all += c;
    int expected = 100;
    for (int section = 0; section < 200; ++section) expected += 1 + section % 97;
    ASSERT_EQ(all, expected);
  }
}

TEST_P(ParallelTest, what_a_task_of_a_team_throws_reaches_the_caller) {
  std::atomic<int> calls = 0;
  with_team([&] {
    EXPECT_THROW(parallel_for(100, [&](int64_t i) { CHECK(i != 57, "index ", i); }), Error);
    parallel_for(100, [&](int64_t) { ++calls; });
  });
  EXPECT_EQ(calls, 100);
  EXPECT_THROW(with_team([] { parallel_for(100, [](int64_t i) { CHECK(i != 57, "index ", i); }); }), Error);
  with_team([&] { parallel_for(100, [&](int64_t) { ++calls; }); });
  EXPECT_EQ(calls, 200);
}

INSTANTIATE_TEST_SUITE_P(Threads, ParallelTest, testing::Values(1, 2, 3, 8));

TEST(Parallel, uses_the_threads_it_was_given) {
  set_threads(2);
  std::mutex mutex;
  std::set<std::thread::id> ids;
  std::atomic<int> waiting = 0;
  parallel_for(2, [&](int64_t) {  // each waits for the other: only two threads at once get through
    ++waiting;
    while (waiting < 2) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(ids.size(), 2U);
  set_threads(1);
  ids.clear();
  parallel_for(50, [&](int64_t) { ids.insert(std::this_thread::get_id()); });
  EXPECT_EQ(ids, std::set{std::this_thread::get_id()});
  set_threads(0);
  EXPECT_GE(threads(), 1);
}

TEST(Parallel, serial_sections_and_nested_ones_stay_on_their_thread) {
  set_threads(2);
  {
    const SerialSections alone;
    std::set<std::thread::id> ids;
    parallel_for(50, [&](int64_t) { ids.insert(std::this_thread::get_id()); });
    EXPECT_EQ(ids, std::set{std::this_thread::get_id()});
  }
  parallel_for(20, [](int64_t) {
    std::set<std::thread::id> ids;
    parallel_for(20, [&](int64_t) { ids.insert(std::this_thread::get_id()); });
    EXPECT_EQ(ids, std::set{std::this_thread::get_id()});
  });
  set_threads(0);
}

TEST(Parallel, sections_of_several_threads_start_the_pool_once_and_share_it) {
  for (int round = 0; round < 20; ++round) {
    set_threads(2 + round % 2);  // the pool begins anew
    std::atomic<int> calls = 0;
    std::vector<std::thread> callers(4);
    for (std::thread& caller : callers)
      caller = std::thread([&] {
        for (int i = 0; i < 50; ++i) parallel_for(20, [&](int64_t) { ++calls; });
      });
    for (std::thread& caller : callers) caller.join();
    ASSERT_EQ(calls, 4 * 50 * 20);
  }
  set_threads(0);
}

TEST(Parallel, the_grain_of_rows_is_about_16_ki_elements) {
  EXPECT_EQ(row_grain(1), 16384);
  EXPECT_EQ(row_grain(768), 21);
  EXPECT_EQ(row_grain(20'000), 1);
  EXPECT_EQ(row_grain(0), 16384);
}

}  // namespace
}  // namespace espalier
