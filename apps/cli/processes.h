// SPDX-License-Identifier: Apache-2.0
// A program as one process of several: it meets the others, and all make sure that they are to do the same.
#pragma once

#include <string>

#include "apps/cli/program.h"

namespace espalier {

// At the start of every program: joins the others where mpirun has started several. From then on only rank 0 writes on
// standard output. Throws Error for several processes of a program that runs alone.
void meet(const std::string& program, Join join);

// Behind the command line and ESPALIER_ISA, before the work: throws Error where another rank is another build of the
// program, was given other options, or computes other bits. Does nothing for one process.
void agree(Options& rows, const CommonOptions& common);

// Threads of this process where --threads does not say: ranks that may use the same cores share them. 0: all, for one
// process.
int threads_of_rank(const CommonOptions& common);

}  // namespace espalier
