// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/program.h"

#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

#include "apps/cli/before_main.h"
#include "apps/cli/command_line.h"
#include "apps/cli/processes.h"
#include "apps/cli/progress.h"
#include "apps/training/signals.h"
#include "core/format.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
#include "core/ranks.h"
#include "core/ranks/join.h"
#include "core/room.h"

namespace espalier {
namespace {

// "program: text", where the text does not begin with that name already.
std::string named(const std::string& program, const std::string& text) {
  const std::string shown = shortened(text, 600);
  return shown.starts_with(program + ": ") ? shown : program + ": " + shown;
}

void check_stdout() {
  if (std::cout.flush().good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Failure("standard output: writing failed; is the disk full?");
}

int parse_and_run(int argc, char** argv, const std::string& name, const std::string& description,
                  const Declare& declare, Join join) {
  expect_room(32 << 20);  // with less, libraries such as HDF5 crash where they begin
  meet(name, join);
  CommonOptions common;
  Options rows;
  rows.add("threads", common.threads, "threads to use; 0: all that the process may use. Results do not depend on it")
      .range([&] { return common.threads >= 0 && common.threads <= most_threads(); },
             "0 (all) or a number up to " + std::to_string(most_threads()) + " is expected on this machine")
      .free();
  rows.add("seed", common.seed, "seed of everything random");
  rows.flag("quiet", common.quiet, "print results only").free();
  rows.flag("json", common.json, "print results as one JSON object per line").free();
  const auto run = declare(rows);
  std::optional<int> code = read_command_line(argc, argv, name, description, rows);
  if (!code) {
    rows.check();
    kernels::apply_isa_environment();
    agree(rows, common);
    set_threads(threads_of_rank(common));
    code = run(common);
  }
  check_stdout();
  leave_ranks();
  return *code;
}

// What a program that failed says and returns. Of several processes it ends all.
int failed(const std::string& name, const std::string& text, int code) {
  const Started start = started();
  std::string shown = named(name, one_line(text));
  if (start.rank > 0) shown.insert(name.size() + 2, name_of_rank(start.rank) + ": ");
  if (start.ranks > 1) end_ranks(shown, code);
  std::cerr << shown << '\n';
  return code;
}

}  // namespace

Listener CommonOptions::listener(bool to_stdout) const {
  if (!is_first_rank()) return {.warn = [](const std::string&) {}};
  if (quiet) return {};
  const auto progress = std::make_shared<Progress>(!to_stdout || json);
  return {.say = [progress](const std::string& line) { progress->print(line); },
          .warn = [progress, warn = Listener().warn](const std::string& line) { progress->clear(), warn(line); },
          .progress = [progress](int64_t done, int64_t total,
                                 const std::string& what) { progress->update(done, total, what); }};
}

int run_program(int argc, char** argv, const std::string& description, const Declare& declare, Join join) {
  const std::string name = program_name();
  try {
    return parse_and_run(argc, argv, name, description, declare, join);
  } catch (const Error& e) { return failed(name, e.what(), 2); } catch (const Stopped& stopped) {
    return failed(name, "stopped; nothing is kept of what it was at", 128 + stopped.signal);
  } catch (const std::bad_alloc&) {
    return failed(name, "out of memory", 1);
  } catch (const std::filesystem::filesystem_error& e) {  // its own text names a function of the library
    return failed(name, e.path1().string() + ": cannot be used: " + e.code().message(), 2);
  } catch (const std::exception& e) { return failed(name, e.what(), 1); }
}

void print_json(const Record& object) { std::cout << object.text() << std::endl; }

int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace espalier
