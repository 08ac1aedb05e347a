// SPDX-License-Identifier: Apache-2.0
// What --help prints.
#pragma once

#include <string>
#include <vector>

#include "core/options.h"

namespace espalier {

// The rows without those whose name another one has before them: rows of one name are one option.
std::vector<const Option*> listed(Options& rows);

std::string help_text(const std::string& program, const std::string& description, Options& rows);

}  // namespace espalier
