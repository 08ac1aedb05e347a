// SPDX-License-Identifier: Apache-2.0
// Team: threads that stay at hand for the short parallel sections of one piece of work, such as the layers of a model
// for one sentence. A section starts within a tenth of a microsecond, where the pool takes several. Used by
// parallel.cpp only.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>

namespace espalier::parallel_detail {

using Task = void (*)(const void* context, int64_t index);

// One thread leads: it opens sections, does its share of each, and waits for what others have begun. The others help,
// as many as there are, from none on.
class Team {
 public:
  static constexpr int bits = 24;
  static constexpr int64_t most_tasks = (int64_t{1} << bits) - 1;

  // Called by the leader, with at most most_tasks. Rethrows the first exception of a task, when none runs any more.
  void section(int64_t count, Task task, const void* context);
  void finish();  // the helpers may leave

  void help();  // called by the others: returns after finish()

 private:
  enum class Side { front, back };
  void run_rest(Side side);  // of the open section: tasks from its first or last on
  void wait_for(int64_t done) const;

  // Of the open section: a number that no two neighbours share, the first task that nobody has begun, and the end of
  // those: one word, so that a task that is taken is one of the section that was seen. The leader takes tasks from the
  // front and the others from the back, so that in most sections a thread finds in its cache what it wrote in the last
  // one.
  std::atomic<uint64_t> state_ = 0;
  std::atomic<int64_t> done_ = 0;
  std::atomic<bool> finished_ = false;
  Task task_ = nullptr;
  const void* context_ = nullptr;
  std::mutex failing_;
  std::exception_ptr failure_;
};

}  // namespace espalier::parallel_detail
