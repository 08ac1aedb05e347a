// SPDX-License-Identifier: Apache-2.0
// A program's manual page, from the rows of its options. The installation asks each program for it with --man.
#pragma once

#include <string>

#include "core/options.h"

namespace espalier {

// In troff's man macros. The description is --help's: what follows "Example: " is an example.
std::string man_page(const std::string& program, const std::string& description, Options& rows);

}  // namespace espalier
