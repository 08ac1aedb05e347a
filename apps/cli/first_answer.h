// SPDX-License-Identifier: Apache-2.0
// The start of a program: how long it takes until its first answer, and how much memory. Used by bench and report.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/cli/program.h"
#include "core/products/precision.h"

namespace espalier {

struct FirstAnswer {
  double seconds = 0;       // from before it was started until the first answer was read
  int64_t peak_memory = 0;  // bytes, then
};

// The program `predict` beside this one, and its arguments.
std::vector<std::string> predict_command(const std::string& model, Precision precision, const CommonOptions& common,
                                         const std::string& vocab = "");

// Starts `command`, program and arguments, which reads sentences from its standard input and answers each on a line,
// and kills it after its first answer. The medians over so many starts, after one that reads the files into the
// system's cache. Throws Failure, naming the command, if it does not answer.
FirstAnswer median_first_answer(const std::vector<std::string>& command, int starts);

}  // namespace espalier
