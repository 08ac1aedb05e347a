// SPDX-License-Identifier: Apache-2.0
#include "core/parallel.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <memory>

namespace espalier {
namespace {

struct Arena {
  int threads = 0;
  std::unique_ptr<tbb::global_control> limit;
  std::unique_ptr<tbb::task_arena> arena;

  void resize(int wanted) {
    threads = wanted > 0 ? wanted : tbb::info::default_concurrency();
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

namespace parallel_detail {

void run(int64_t count, Task task, const void* context) {
  if (count <= 0) return;
  if (count == 1 || threads() == 1) {
    for (int64_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  arena().arena->execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(0, count, 1),
        [&](const tbb::blocked_range<int64_t>& range) {
          for (int64_t i = range.begin(); i != range.end(); ++i) task(context, i);
        },
        tbb::simple_partitioner());
  });
}

}  // namespace parallel_detail
}  // namespace espalier
