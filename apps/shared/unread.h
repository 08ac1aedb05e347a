// SPDX-License-Identifier: Apache-2.0
// Options that the other options leave without effect are refused: whoever gives one expects something of it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "core/check.h"

namespace espalier {

// Throws for the first of the options that was given although none is `read`; `why` says so and what to choose instead.
inline void refuse_unread(const std::vector<CLI::Option*>& declared, bool read, const std::string& why) {
  for (const CLI::Option* option : declared) CHECK(read || option->count() == 0, option->get_name(), ": ", why);
}

// The same for the option `name` alone.
inline void refuse_unread(const std::vector<CLI::Option*>& declared, const std::string& name, bool read,
                          const std::string& why) {
  for (CLI::Option* const option : declared)
    if (option->get_name() == name) refuse_unread({option}, read, why);
}

}  // namespace espalier
