// SPDX-License-Identifier: Apache-2.0
#include "core/ranks/watch.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "core/format.h"
#include "core/ranks/carrier.h"

namespace espalier {
namespace {

using std::chrono::seconds;

int patience() {
  static const char* const text = std::getenv("ESPALIER_RANK_TIMEOUT");
  static const int found = text == nullptr ? 30 : std::clamp(std::atoi(text), 3, 86400);
  return found;
}

// Of a rank on this machine.
bool is_gone(size_t rank) {
  const pid_t pid = carrier().met ? carrier().pids[rank] : 0;
  return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH;
}

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

}  // namespace

std::string Watch::lost(Clock::time_point now) {
  if (const auto late = now - looked_ - seconds(1); late > seconds(2))
    for (auto& heard : heard_) heard += late;
  looked_ = now;
  // The first of those that still answer speaks; should it not, the others do.
  const auto silent = [&](size_t r, int more) { return now - heard_[r] >= seconds(patience() + more); };
  int first = 0;
  while (first < rank_ && (silent(static_cast<size_t>(first), 0) || is_gone(static_cast<size_t>(first)))) ++first;
  for (size_t r = 0; r < heard_.size(); ++r) {
    if (static_cast<int>(r) == rank_) continue;
    if (silent(r, first == rank_ ? 0 : 3))
      return line_of_lost(
          static_cast<int>(r),
          format("has not answered for %d s: it was stopped, its machine is down, or the network is", patience()));
    if (first == rank_ && is_gone(r))
      return line_of_lost(static_cast<int>(r), "is gone: it was killed, perhaps for want of memory");
  }
  return {};
}

std::string Watch::hangs() {
  const double work = seconds_of(CLOCK_PROCESS_CPUTIME_ID) - seconds_of(CLOCK_THREAD_CPUTIME_ID);
  idle_seconds_ = carrier().waiting > 0 || work - work_seconds_ > 0.01 ? 0 : idle_seconds_ + 1;
  work_seconds_ = work;
  if (idle_seconds_ < patience()) return {};
  return line_of_lost(rank_,
                      format("has neither computed nor waited for another rank for %d s: it hangs, perhaps for a "
                             "drive that does not answer (ESPALIER_RANK_TIMEOUT=SECONDS gives it longer)",
                             patience()));
}

std::string line_of_lost(int rank, const std::string& why) {
  return carrier().program + ": " + name_of_rank(rank) + " " + why +
         "; what was saved is kept: --resume goes on from it, with any number of ranks\n";
}

void end_mpirun_later() {
  const pid_t mpirun = getppid();
  std::string name;
  std::ifstream("/proc/" + std::to_string(mpirun) + "/comm") >> name;
  if ((name != "mpirun" && name != "mpiexec" && name != "orterun") || fork() != 0) return;
  for (int file = 0; file < 1024; ++file) close(file);  // mpirun waits for the ends of its pipes, too
  setsid();
  for (int i = 0; i < 15; ++i) {
    sleep(1);
    if (kill(mpirun, 0) != 0) _exit(0);
  }
  kill(mpirun, SIGKILL);
  _exit(0);
}

}  // namespace espalier
