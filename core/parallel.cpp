// SPDX-License-Identifier: Apache-2.0
#include "core/parallel.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>

#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

namespace espalier {
namespace {

// oneTBB's library is not instrumented, so the thread sanitizer has to be told that what happened before hand_over(p)
// is visible after take_over(p).
#ifdef __SANITIZE_THREAD__
void hand_over(char* place) { __tsan_release(place); }
void take_over(char* place) { __tsan_acquire(place); }
#else
void hand_over(const char*) {}
void take_over(const char*) {}
#endif

// Cores that a control group lets the process use, rounded up; no limit: very many.
int quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double allowed = 0, period = 0;
  if (!(file >> allowed >> period) || allowed <= 0 || period <= 0) return std::numeric_limits<int>::max();
  return std::max(1, static_cast<int>(std::min(1e6, std::ceil(allowed / period))));
}

struct Arena {
  int threads = 0;
  std::unique_ptr<tbb::global_control> limit;
  std::unique_ptr<tbb::task_arena> arena;

  void resize(int wanted) {
    threads = wanted > 0 ? wanted : std::min(tbb::info::default_concurrency(), quota());
    arena.reset();
    limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, threads);
    arena = std::make_unique<tbb::task_arena>(threads);
  }
};

Arena& arena() {
  static Arena* const instance = [] {
    auto* a = new Arena;
    a->resize(0);
    return a;
  }();
  return *instance;
}

}  // namespace

void set_threads(int threads) { arena().resize(threads); }
int threads() { return arena().threads; }
int most_threads() { return std::max(64, 4 * tbb::info::default_concurrency()); }

namespace parallel_detail {

void run(int64_t count, Task task, const void* context) {
  if (count <= 0) return;
  if (count == 1 || threads() == 1) {
    for (int64_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  char begun = 0, done = 0;
  hand_over(&begun);
  arena().arena->execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(0, count, 1),
        [&](const tbb::blocked_range<int64_t>& range) {
          take_over(&begun);
          for (int64_t i = range.begin(); i != range.end(); ++i) task(context, i);
          hand_over(&done);
        },
        tbb::simple_partitioner());
  });
  take_over(&done);
}

}  // namespace parallel_detail
}  // namespace espalier
