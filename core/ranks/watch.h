// SPDX-License-Identifier: Apache-2.0
// Watch: whether the other ranks still live, and this one works. For the thread that carries messages.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace espalier {

class Watch {
 public:
  using Clock = std::chrono::steady_clock;

  Watch(int rank, int ranks) : rank_(rank), heard_(static_cast<size_t>(ranks), Clock::now()) {}

  void heard_of(int rank) { heard_[static_cast<size_t>(rank)] = Clock::now(); }

  // To be called each second. What to say of a rank that has been silent for 30 s ($ESPALIER_RANK_TIMEOUT), or whose
  // process is gone; "": all live. Time in which this process was stopped itself does not count.
  std::string lost(Clock::time_point now);

  // To be called each second. What to say where the other threads of this process have used no processor for as long,
  // although they wait for no other rank: they hang. "": they do not.
  std::string hangs();

 private:
  int rank_;
  int idle_seconds_ = 0;
  double work_seconds_ = 0;               // processor time of the other threads, at the last look
  std::vector<Clock::time_point> heard_;  // when, of each rank
  Clock::time_point looked_ = Clock::now();
};

// A line of this program's about a rank without which the run cannot go on.
std::string line_of_lost(int rank, const std::string& why);

// Where mpirun started this process itself: ends it if it still runs 15 s from now. It would wait without end for a
// machine that it cannot reach.
void end_mpirun_later();

}  // namespace espalier
