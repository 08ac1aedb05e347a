// SPDX-License-Identifier: Apache-2.0
// For tests of the programs: starts them as a user does, in a folder of the test's own with a small data set, a
// vocabulary and what the programs write; captures exit code, stdout and stderr.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/temporary.h"

namespace espalier {

struct Result {
  int exit_code = -1;  // -1: ended by `signal`
  int signal = 0;
  std::string out, err;
};

// What a program finds besides its command line.
struct Around {
  std::vector<std::string> more = {};         // further arguments, with spaces if need be
  std::string input = {};                     // standard input
  std::vector<std::string> environment = {};  // NAME=VALUE
  size_t largest_file = 0;                    // bytes after which writing to a file fails; 0: no limit
  bool killed_at_limit = false;               // there the program is killed, else it is told as of a full disk
  size_t largest_memory = 0;                  // bytes of address space; 0: no limit
  bool one_thread = false;                    // the system lets the program start no thread
  int ranks = 0;                              // processes that mpirun starts; 0: without it. See tests/apps/mpirun.h
};

// A running program. `command` is split at spaces; its first word is the program's name, or the path of another one.
class Process {
 public:
  Process(const std::filesystem::path& folder, const std::string& command, const Around& around = {});
  ~Process();  // kills it if it still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void send(int signal) const;
  int threads() const;  // of a program that runs
  bool runs();
  Result wait();

 private:
  void reap(int options);

  std::FILE *in_, *out_, *err_;
  pid_t pid_ = -1;
  int status_ = -1;
};

// A test's folder: data/train.tsv with 70 short reviews, data/dev.tsv with 20,
// data/labels.txt (negative, positive), vocab.txt.
class Programs : public testing::Test {
 protected:
  Programs();

  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }
  Result run(const std::string& command, const Around& around = {}) const;
  Result succeed(const std::string& command, const Around& around = {}) const;  // expects exit code 0
  nlohmann::json json(const std::string& command) const;  // the first object that it prints, with --json --quiet
  std::string bytes(const std::string& name) const { return read_bytes(folder_ / name); }  // "" where there is none
  bool exists(const std::string& name) const { return std::filesystem::exists(folder_ / name); }

  // Expects exit code 2 (or `code`) and one line on stderr that begins with the program's name and holds the parts.
  void expect_refused(const std::string& command, const std::vector<std::string>& parts, const Around& around = {},
                      int code = 2) const;

  TemporaryFolder folder_;
};

// `count` lines of reviews, each "sentence TAB label LF", without header; the seed chooses.
std::string reviews(int count, unsigned seed);

// Options of a program as text that can be changed one by one: {"epochs", "2"} gives "--epochs 2".
using Options = std::map<std::string, std::string>;
std::string command_line(const std::string& program, const Options& options);

// The lines of a text without their ends; the JSON objects on its lines, each of which must be one.
std::vector<std::string> lines_of(const std::string& text);
std::vector<nlohmann::json> objects_of(const std::string& text);

}  // namespace espalier
