// SPDX-License-Identifier: Apache-2.0
// How a program becomes one process of several, and ends. For apps/cli/program.
#pragma once

#include <string>

namespace espalier {

// Processes that mpirun or srun has started, and the place of this one, by the environment that they set. 0 processes:
// neither has started this one.
struct Started {
  int rank = 0, ranks = 0;
};
Started started();

std::string name_of_host();  // of this one
std::string this_machine();  // the same for processes that see each other, and for no others; one word

// Meets the other processes where there are any; to be called before anything else, by a program whose work can be
// divided. `program` begins its lines. Throws Error where this build has no MPI, or mpirun is another MPI's.
// A program that does not name this function does not load MPI's library.
void join_ranks(const std::string& program);

// Called by all ranks behind their work: nobody leaves before all are done.
void leave_ranks();

// Ends the run with an error: rank 0 writes the line on standard error at once, others a moment later, so that what all
// ranks fail of is said once. All processes exit with `code`.
[[noreturn]] void end_ranks(const std::string& line, int code);

}  // namespace espalier
