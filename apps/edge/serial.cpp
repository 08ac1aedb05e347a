// SPDX-License-Identifier: Apache-2.0
// core/parallel without threads of its own: a phone's or browser's program has its own ones, and each may ask. Instead
// of core/parallel.cpp in the runtime for edge files.
#include "core/check.h"
#include "core/parallel.h"

namespace espalier {

SerialSections::SerialSections() : before_(true) {}
SerialSections::~SerialSections() { (void)before_; }

void set_threads(int threads) { CHECK(threads <= 1, "threads: ", threads, "; this runtime has one for each caller"); }
int threads() { return 1; }
int most_threads() { return 1; }

namespace parallel_detail {

void run(int64_t count, Task task, const void* context) {
  for (int64_t i = 0; i < count; ++i) task(context, i);
}

void run_with_team(Task task, const void* context) { task(context, 0); }

}  // namespace parallel_detail
}  // namespace espalier
