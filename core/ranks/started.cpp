// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

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

bool started_by_mpirun() { return started().ranks > 0; }

}  // namespace espalier
