// SPDX-License-Identifier: Apache-2.0
// From the command line and --config to options. Nothing is guessed: what is not understood, given twice, or has no
// value, is an error that names it.
#pragma once

#include <optional>
#include <string>

#include "core/options.h"

namespace espalier {

// Sets the values of the rows. Returns the exit code where there is nothing left to do: --help and --version were
// printed. Throws Error, naming the option, the file or the word, for what is not understood.
std::optional<int> read_command_line(int argc, char** argv, const std::string& name, const std::string& description,
                                     Options& rows);

}  // namespace espalier
