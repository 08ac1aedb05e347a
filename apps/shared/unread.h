// SPDX-License-Identifier: Apache-2.0
// Options that the other options leave without effect are refused: whoever gives one expects something of it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/check.h"

namespace espalier {

// Throws if the option `name` was given although it is not `read`; `why` says so and what to choose instead.
inline void refuse_unread(const std::vector<CLI::Option*>& declared, const std::string& name, bool read,
                          const std::string& why) {
  for (const CLI::Option* option : declared)
    CHECK(read || option->count() == 0 || option->get_name() != name, name, ": ", why);
}

}  // namespace espalier
