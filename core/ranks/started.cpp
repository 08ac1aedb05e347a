// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "core/ranks.h"
#include "core/ranks/join.h"

namespace espalier {
namespace {

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? -1 : std::atoi(text);
}

}  // namespace

Started started() {
  struct Names {
    const char *rank, *ranks;
  };
  // Of Open MPI's mpirun; of others' and srun's PMI; of srun with PMIx. Slurm sets its own in whole jobs, too, in which
  // a program may run alone, so they do not count without PMIx's.
  for (const Names& names : {Names{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"}, Names{"PMI_RANK", "PMI_SIZE"},
                             Names{"PMIX_RANK", "SLURM_STEP_NUM_TASKS"}})
    if (const int rank = number_in(names.rank), ranks = number_in(names.ranks); rank >= 0 && ranks > rank)
      return {rank, ranks};
  return {};
}

std::string name_of_host() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string this_machine() {
  std::array<char, 64> processes{};
  if (readlink("/proc/self/ns/pid", processes.data(), processes.size() - 1) < 0) processes = {"?"};
  std::string boot = "?";
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return boot + processes.data();
}

bool started_by_mpirun() { return started().ranks > 0; }

}  // namespace espalier
