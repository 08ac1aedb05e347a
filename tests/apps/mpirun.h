// SPDX-License-Identifier: Apache-2.0
// For tests of programs that mpirun starts as several processes. Where there is no MPI they are skipped.
#pragma once

#include <string>
#include <vector>

#include "tests/apps/program.h"

namespace espalier {

class Mpirun : public Programs {
 protected:
  void SetUp() override;

  // `command` as so many processes; what is in `around` is for each. Ranks may be lost for four seconds.
  Result run_ranks(int ranks, const std::string& command, const Around& around = {}) const;
  // Each of the commands, with its options of mpirun before it if any, is one process: "-x A=b train --model …".
  Result run_each(const std::vector<std::string>& commands) const;
  // The arguments of mpirun for so many processes.
  static std::string start(int ranks, const std::string& command);
  static Around surroundings(Around around = {});
};

// Ids of the processes whose command line has both texts in it, in the order in which they were started.
std::vector<pid_t> processes_with(const std::string& text, const std::string& more);

}  // namespace espalier
