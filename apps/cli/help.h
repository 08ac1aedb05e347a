// SPDX-License-Identifier: Apache-2.0
// What --help prints.
#pragma once

#include <string>

#include "core/options.h"

namespace espalier {

std::string help_text(const std::string& program, const std::string& description, Options& rows);

}  // namespace espalier
