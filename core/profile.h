// SPDX-License-Identifier: Apache-2.0
// Profile: where a step's time goes, op by op. The tape laps it after each op; products and kernels add the work they
// did. Read by `bench --profile`.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <string>

namespace espalier {

class Profile {
 public:
  enum Phase { forward, backward, other };
  struct Entry {
    int64_t calls = 0, flop = 0, bytes = 0;
    double seconds = 0;
  };

  void start();                             // forgets the time since the last lap
  void lap(const char* name, Phase phase);  // books time and work since the last lap on `name`
  const std::map<std::pair<std::string, Phase>, Entry>& entries() const { return entries_; }

 private:
  std::map<std::pair<std::string, Phase>, Entry> entries_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
  int64_t flop_ = 0, bytes_ = 0;
};

// Work done by this process so far; ops add to it on the calling thread before they split their work.
struct WorkCount {
  int64_t flop = 0, bytes = 0;
};
WorkCount& work_count();

}  // namespace espalier
