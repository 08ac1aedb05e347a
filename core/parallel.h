// SPDX-License-Identifier: Apache-2.0
// The one pool of threads (oneTBB). Work is cut by the problem's size and never by the number of threads, so results
// have the same bits with any number of them. parallel.cpp is the only file that sees oneTBB.
#pragma once

#include <cstdint>

namespace espalier {

// Parallel sections may begin in several threads at once: they share the pool.

// Threads that parallel sections use from now on, started with the first of them. 0: as many as the process may use and
// the system lets it start; any other number throws Failure in the first section where they cannot be started. Call it
// between parallel sections.
void set_threads(int threads);
int threads();
int most_threads();  // more than this would only wait for each other: 64, or four for each core

// While one lives, the parallel sections of the thread that made it run on that thread alone. So do sections inside
// another one.
class SerialSections {
 public:
  SerialSections();
  ~SerialSections();
  SerialSections(const SerialSections&) = delete;
  SerialSections& operator=(const SerialSections&) = delete;

 private:
  bool before_;
};

namespace parallel_detail {
using Task = void (*)(const void* context, int64_t index);
void run(int64_t count, Task task, const void* context);
void run_with_team(Task task, const void* context);
}  // namespace parallel_detail

// Calls f(), and keeps the pool's threads at hand for the parallel sections of f, which begin sooner then: for work of
// many short sections.
template <class F>
void with_team(const F& f) {
  parallel_detail::run_with_team([](const void* context, int64_t) { (*static_cast<const F*>(context))(); }, &f);
}

// Calls f(i) once for each i in [0, count), on any thread and in any order, and returns when all are done. An exception
// of f is rethrown.
template <class F>
void parallel_for(int64_t count, const F& f) {
  parallel_detail::run(
      count, [](const void* context, int64_t i) { (*static_cast<const F*>(context))(i); }, &f);
}

// Cuts [0, rows) into pieces of `grain` rows and calls f(begin, end) for each.
template <class F>
void parallel_rows(int64_t rows, int64_t grain, const F& f) {
  if (grain < 1) grain = 1;
  parallel_for((rows + grain - 1) / grain,
               [&](int64_t i) { f(i * grain, rows < (i + 1) * grain ? rows : (i + 1) * grain); });
}

// Cuts [0, rows) x [0, cols) into blocks of up to most_rows x most_cols and calls f(first row, rows, first column,
// columns) for each. Blocks of the same columns are neighbours in the order.
template <class F>
void parallel_blocks(int64_t rows, int64_t most_rows, int64_t cols, int64_t most_cols, const F& f) {
  const auto least = [](int64_t a, int64_t b) { return a < b ? a : b; };
  const int64_t down = (rows + most_rows - 1) / most_rows, across = (cols + most_cols - 1) / most_cols;
  parallel_for(down * across, [&](int64_t i) {
    const int64_t row = i % down * most_rows, column = i / down * most_cols;
    f(row, least(most_rows, rows - row), column, least(most_cols, cols - column));
  });
}

// Rows of `cols` elements each that make a piece worth a thread's while, about 16 Ki elements.
inline int64_t row_grain(int64_t cols) { return cols >= 16384 ? 1 : 16384 / (cols > 0 ? cols : 1); }

}  // namespace espalier
