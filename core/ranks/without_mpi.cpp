// SPDX-License-Identifier: Apache-2.0
// In place of mpi.cpp where the build found no MPI.
#include "core/check.h"
#include "core/ranks/carrier.h"

namespace espalier {

void open_carrier(int ranks) {
  fail("mpirun has started ", ranks,
       " processes, but this program was built without MPI; install libopenmpi-dev and build it again, or start it "
       "without mpirun");
}

}  // namespace espalier
