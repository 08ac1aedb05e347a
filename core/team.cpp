// SPDX-License-Identifier: Apache-2.0
#include "core/team.h"

#include <thread>
#include <utility>

#include "core/parallel.h"

namespace espalier::parallel_detail {
namespace {

// Waits a moment: first without leaving the CPU, then by letting others have it.
class Wait {
 public:
  void once() {
    if (++rounds_ < 4096) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    } else {
      std::this_thread::yield();
    }
  }

 private:
  int rounds_ = 0;
};

}  // namespace

void Team::section(int64_t count, Task task, const void* context) {
  task_ = task;
  context_ = context;
  done_.store(0, std::memory_order_relaxed);
  const uint64_t number = (state_.load(std::memory_order_relaxed) >> (2 * bits)) + 1;
  state_.store(number << (2 * bits) | static_cast<uint64_t>(count), std::memory_order_release);
  run_rest(Side::front);
  wait_for(count);
  if (failure_ == nullptr) return;
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  std::rethrow_exception(failure);
}

void Team::run_rest(Side side) {
  const SerialSections inside;
  for (;;) {
    uint64_t seen = state_.load(std::memory_order_acquire);
    const uint64_t first = seen >> bits & most_tasks, end = seen & most_tasks;
    if (first >= end) return;
    const bool front = side == Side::front;
    const uint64_t next = front ? seen + (uint64_t{1} << bits) : seen - 1;
    if (!state_.compare_exchange_weak(seen, next, std::memory_order_acq_rel)) continue;
    // The section stays open until this task is done: what describes it does not change meanwhile.
    try {
      task_(context_, static_cast<int64_t>(front ? first : end - 1));
    } catch (...) {
      const std::scoped_lock lock(failing_);
      if (failure_ == nullptr) failure_ = std::current_exception();
    }
    done_.fetch_add(1, std::memory_order_acq_rel);
  }
}

void Team::wait_for(int64_t done) const {
  for (Wait wait; done_.load(std::memory_order_acquire) != done;) wait.once();
}

void Team::finish() { finished_.store(true, std::memory_order_release); }

void Team::help() {
  Wait wait;
  while (!finished_.load(std::memory_order_acquire)) {
    const uint64_t before = state_.load(std::memory_order_relaxed);
    run_rest(Side::back);
    if (state_.load(std::memory_order_relaxed) != before) wait = {};
    wait.once();
  }
}

}  // namespace espalier::parallel_detail
