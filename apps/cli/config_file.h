// SPDX-License-Identifier: Apache-2.0
// Config files: TOML whose tables are prefixes of options, so that amount = 0.5 below [prune] is --prune.amount 0.5.
// config_file.cpp is the only file that sees toml++.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct ConfigValue {
  enum class Kind { text, whole_number, number, truth };
  Kind kind = Kind::text;
  std::string text;  // as on the command line: no quotes, numbers in decimal
};

struct ConfigEntry {
  std::string name;                      // "prune.amount"
  std::string place;                     // of its value: "run.toml:3:10", line and column from 1 on
  bool list = false;                     // [1, 2]; else it has one value
  std::vector<ConfigValue> values = {};  // in their order
};

// The entries of TOML text, in their order. `source` names it in errors. Throws Error, with line and column, for what
// is no TOML, a name that is given twice, dates, lists in lists, and more nesting than options have.
std::vector<ConfigEntry> read_config(std::string_view text, const std::string& source);

// The same of a file of up to 1 MB.
std::vector<ConfigEntry> read_config_file(const std::string& path);

}  // namespace espalier
