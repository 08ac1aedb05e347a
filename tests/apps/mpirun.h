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
};

// Why no test can start ranks here; empty: they can.
std::string no_ranks();
// The arguments of mpirun for so many processes of the command, and what it finds around it.
std::string start(int ranks, const std::string& command);
Around surroundings(Around around = {});

}  // namespace espalier
