// SPDX-License-Identifier: Apache-2.0
// A program as one process of several: it meets the others, and all make sure that they are to do the same.
#pragma once

#include <string>

#include "apps/cli/program.h"

namespace espalier {

// At the start of every program: joins the others where mpirun has started several. From then on only rank 0 writes on
// standard output. Throws Error for several processes of a program that runs alone.
void meet(const std::string& program, Join join);

// Behind the command line, --threads and ESPALIER_ISA: throws Error where another rank is another build of the program,
// was given other options, or computes other bits. Ranks on one machine share its cores. Does nothing for one process.
void agree(Options& rows, const CommonOptions& common);

}  // namespace espalier
