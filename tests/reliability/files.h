// SPDX-License-Identifier: Apache-2.0
// For the reliability tests: whole folders compared, and how long a test is to be.
#pragma once

#include <cstdlib>
#include <map>
#include <string>

#include "tests/apps/program.h"

namespace espalier {

// The number that the environment gives, such as ESPALIER_KILLS=200 for the long form of a test.
inline int64_t number_from(const char* variable, int64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::atoll(text) : otherwise;
}

// All files below a folder by their relative names. Of metrics.jsonl, what does not depend on the clock; of a page,
// which shows times, its beginning and its last line.
using Files = std::map<std::string, std::string>;
Files files_in(const std::filesystem::path& folder);

// Expects the same names and bytes in both, and says which differ.
void expect_same(const Files& found, const Files& expected, const std::string& after);

// What a log says apart from speeds.
std::vector<nlohmann::json> without_times(const std::string& log);

// A program's surroundings with tests/reliability/failing_writes.cpp preloaded, and its settings.
Around failing_writes(std::vector<std::string> settings);

}  // namespace espalier
