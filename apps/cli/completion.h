// SPDX-License-Identifier: Apache-2.0
// What a shell offers behind a program's name when the user presses Tab, from the rows of its options. The installation
// asks each program for it with --completion=SHELL.
#pragma once

#include <string>

#include "core/options.h"

namespace espalier {

// A script for bash, zsh or fish: the names of the options, the values of those that have few, files for texts and
// paths. Throws Error for another shell.
std::string completion(const std::string& shell, const std::string& program, Options& rows);

}  // namespace espalier
