// SPDX-License-Identifier: Apache-2.0
// Whole training programs. A program of one's own has every option, log, resume and file of train_sst2:
//   int main(int argc, char** argv) { return espalier::train_main(argc, argv, {my_algorithm()}); }
#pragma once

#include <string>
#include <vector>

#include "apps/training/options.h"
#include "compress/algorithm.h"

namespace espalier {

// train, and train_sst2, which finds its data by itself. `more` comes behind our own algorithms, in the order of their
// hooks; one with the name of ours takes its place. Returns the exit code.
int train_main(int argc, char** argv, const std::vector<Algorithm>& more = {}, const std::string& description = {},
               DefaultData default_data = DefaultData::sst2);

// distill: a run whose model is the student, and whose teacher is named without a prefix.
int distill_main(int argc, char** argv);

// pretrain: a run on plain text.
int pretrain_main(int argc, char** argv);

}  // namespace espalier
