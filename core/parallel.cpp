// SPDX-License-Identifier: Apache-2.0
#include "core/parallel.h"

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/cpu_quota.h"
#include "core/team.h"

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

// How many threads beside this one the system lets the process start now, up to `most`. oneTBB ends the process where
// it cannot start one.
int startable(int most) {
  constexpr size_t stack = 4 << 20;  // as oneTBB's
  std::mutex gate;                   // closed until all are started
  std::vector<pthread_t> started;
  started.reserve(static_cast<size_t>(most));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack);
  const auto wait = [](void* at) -> void* { return std::scoped_lock(*static_cast<std::mutex*>(at)), nullptr; };
  gate.lock();
  for (pthread_t thread{}; std::ssize(started) < most; started.push_back(thread))
    if (pthread_create(&thread, &attributes, wait, &gate) != 0) break;
  gate.unlock();
  for (const pthread_t thread : started) pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  return static_cast<int>(started.size());
}

struct Arena {
  std::atomic<int> threads = 0;
  bool asked = false;  // for this number
  std::unique_ptr<tbb::global_control> limit;
  std::unique_ptr<tbb::task_arena> arena;
  std::atomic<tbb::task_arena*> started = nullptr;  // the same, for who comes later
  std::mutex starting;

  void resize(int wanted) {
    asked = wanted > 0;
    threads = asked ? wanted : std::min(tbb::info::default_concurrency(), cpu_quota());
    started = nullptr;
    arena.reset();
  }

  // With the first parallel section. Where nobody asked for a number, fewer threads do as well.
  void start() {
    const std::scoped_lock lock(starting);
    if (started != nullptr) return;
    const int allowed = 1 + startable(threads - 1);
    if (asked && allowed < threads)
      throw Failure("the system allows no more than " + std::to_string(allowed) + " of " + std::to_string(threads) +
                    " threads; try --threads " + std::to_string(allowed));
    threads = allowed;
    limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, threads);
    arena = std::make_unique<tbb::task_arena>(threads);
    started = arena.get();
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

thread_local bool serial = false;                    // sections of this thread run on it alone
thread_local parallel_detail::Team* team = nullptr;  // or with these

}  // namespace

SerialSections::SerialSections() : before_(serial) { serial = true; }
SerialSections::~SerialSections() { serial = before_; }

void set_threads(int threads) { arena().resize(threads); }
int threads() { return arena().threads; }
int most_threads() { return std::max(64, 4 * tbb::info::default_concurrency()); }

namespace parallel_detail {

void run(int64_t count, Task task, const void* context) {
  if (count <= 0) return;
  if (team != nullptr && !serial && count > 1 && count <= Team::most_tasks) return team->section(count, task, context);
  const bool alone = serial || count == 1;
  if (!alone && threads() > 1 && arena().started == nullptr) arena().start();
  if (alone || threads() == 1) {
    for (int64_t i = 0; i < count; ++i) task(context, i);
    return;
  }
  char begun = 0, done = 0;
  hand_over(&begun);
  arena().started.load()->execute([&] {
    tbb::parallel_for(
        tbb::blocked_range<int64_t>(0, count, 1),
        [&](const tbb::blocked_range<int64_t>& range) {
          take_over(&begun);
          const SerialSections inside;
          for (int64_t i = range.begin(); i != range.end(); ++i) task(context, i);
          hand_over(&done);
        },
        tbb::simple_partitioner());
  });
  take_over(&done);
}

void run_with_team(Task task, const void* context) {
  if (serial || team != nullptr || threads() == 1) return task(context, 0);
  Team members;
  std::atomic<int> came = 0;
  parallel_for(threads(), [&](int64_t) {
    if (came++ > 0) return members.help();  // the first to come leads
    struct Leader {
      explicit Leader(Team& t) : led(t), before(serial) { team = &t, serial = false; }
      ~Leader() { led.finish(), team = nullptr, serial = before; }
      Team& led;
      bool before;
    } const leader(members);
    task(context, 0);
  });
}

}  // namespace parallel_detail
}  // namespace espalier
