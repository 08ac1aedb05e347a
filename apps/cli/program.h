// SPDX-License-Identifier: Apache-2.0
// What all programs share: the common options, exit codes, one-line errors, and printing for people or (--json) for
// machines.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/listener.h"
#include "core/options.h"
#include "core/record.h"

namespace espalier {

struct CommonOptions {
  int threads = 0;  // 0: as many as the process may use
  uint64_t seed = 0;
  bool quiet = false;
  bool json = false;

  // Lines and a progress bar for people: on stderr, or on stdout where that is asked for and --json does not own it.
  // Silent with --quiet, but for warnings, which are always on stderr.
  Listener listener(bool to_stdout = false) const;
};

// Declares a program's own options and returns what is to run after parsing and checking; the returned function's
// result is the exit code. It may change the values, as --seeds does, which runs with one seed after the other.
using Declare = std::function<std::function<int(CommonOptions&)>(Options&)>;

// join_ranks of core/ranks/join.h, for a program whose work several processes share; null: it runs alone only, and
// refuses to be started by mpirun as several.
using Join = void (*)(const std::string& program);

// Parses, checks, applies --threads and ESPALIER_ISA, runs. Exit codes: 0, 2 for an Error (the user's mistake), 1 for
// any other exception; one line on stderr.
int run_program(int argc, char** argv, const std::string& description, const Declare& declare, Join join = nullptr);

// The same for a program whose options are a struct with declare(Options&) and run(const CommonOptions&).
template <class Program>
int run_program(int argc, char** argv, const std::string& description, Join join = nullptr) {
  Program program;
  const Declare declare = [&](Options& rows) {
    program.declare(rows);
    return [&](const CommonOptions& common) { return program.run(common); };
  };
  return run_program(argc, argv, description, declare, join);
}

// One JSON object, on a line of stdout.
void print_json(const Record& object);

// The most memory this process has used so far, in bytes.
int64_t peak_memory();

}  // namespace espalier
