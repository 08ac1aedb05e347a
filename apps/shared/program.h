// SPDX-License-Identifier: Apache-2.0
// What all programs share: the common options, exit codes, one-line errors, and printing for people or (--json) for
// machines.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

namespace espalier {

struct CommonOptions {
  int threads = 0;  // 0: as many as the process may use
  uint64_t seed = 0;
  bool quiet = false;
  bool json = false;
};

// Declares a program's own options on the CLI::App and returns what is to run after parsing; the returned function's
// result is the exit code.
using Declare = std::function<std::function<int(const CommonOptions&)>(CLI::App&)>;

// Parses, applies --threads and ESPALIER_ISA, runs. Exit codes: 0, 2 for an Error (the user's mistake), 1 for any other
// exception; one line on stderr.
int run_program(int argc, char** argv, const std::string& description, const Declare& declare);

// One JSON object, on a line of stdout.
void print_json(const nlohmann::json& object);

// The most memory this process has used so far, in bytes.
int64_t peak_memory();
std::string in_gigabytes(int64_t bytes);  // "1.93 GB"
std::string format(const char* pattern, ...) __attribute__((format(printf, 1, 2)));

}  // namespace espalier
