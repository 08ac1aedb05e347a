// SPDX-License-Identifier: Apache-2.0
// What carries messages between the processes of a run, as core/ranks.cpp sees it: functions that mpi.cpp fills in
// where mpirun has started several. So a program that runs alone does not load the library of MPI. For the files of
// core/ranks only.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

#include "core/ranks.h"

namespace espalier {

struct Transfer::State {
  int peer;
  Channel channel;
  bool outgoing;
  std::byte* bytes;
  size_t size;
  int parts = 0;  // of the message that are still on their way; for mpi.cpp
  std::atomic<bool> done = false;
  std::mutex mutex = {};
  std::condition_variable changed = {};

  void finish() {
    {
      const std::scoped_lock lock(mutex);
      done = true;
    }
    changed.notify_all();
  }
};

struct Carrier {
  int rank = 0, ranks = 1;
  std::string program = {};             // for what is said when another rank fails
  std::atomic<bool> met = false;        // the next two are filled in, for any thread
  std::vector<std::string> hosts = {};  // by rank
  std::vector<pid_t> pids = {};         // of those whose process can be seen from here; 0: it cannot
  std::atomic<int> waiting = 0;         // threads that sleep until a message has come
  // Takes a message and returns; its bytes belong to the carrier until it is done. Throws Failure behind abandon().
  void (*post)(std::shared_ptr<Transfer::State> message) = nullptr;
  // What is on its way never arrives, and nobody touches its bytes any more.
  void (*abandon)() = [] {};
  void (*end)(int code) = nullptr;  // of this process and all others, now
  void (*close)() = nullptr;        // in good order; all ranks call it
  Traffic (*traffic)() = nullptr;
};
Carrier& carrier();

// Starts the carrier. Throws Error where this build has none, or where not all processes are there.
void open_carrier(int ranks);

}  // namespace espalier
