// SPDX-License-Identifier: Apache-2.0
#include "core/profile.h"

namespace espalier {

WorkCount& work_count() {
  thread_local WorkCount count;
  return count;
}

void Profile::start() {
  last_ = std::chrono::steady_clock::now();
  flop_ = work_count().flop;
  bytes_ = work_count().bytes;
}

void Profile::lap(const char* name, Phase phase) {
  Entry& entry = entries_[{name, phase}];
  entry.calls += 1;
  entry.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - last_).count();
  entry.flop += work_count().flop - flop_;
  entry.bytes += work_count().bytes - bytes_;
  start();
}

}  // namespace espalier
