// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/program.h"

#include <sys/resource.h>

#include <cstdio>
#include <filesystem>
#include <iostream>

#include "apps/cli/before_main.h"
#include "apps/cli/command_line.h"
#include "apps/cli/progress.h"
#include "apps/training/signals.h"
#include "core/format.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"
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
                  const Declare& declare) {
  expect_room(32 << 20);  // with less, libraries such as HDF5 crash where they begin
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
    set_threads(common.threads);
    code = run(common);
  }
  check_stdout();
  return *code;
}

}  // namespace

Listener CommonOptions::listener(bool to_stdout) const {
  if (quiet) return {};
  const auto progress = std::make_shared<Progress>(!to_stdout || json);
  return {.say = [progress](const std::string& line) { progress->print(line); },
          .warn = [progress, warn = Listener().warn](const std::string& line) { progress->clear(), warn(line); },
          .progress = [progress](int64_t done, int64_t total,
                                 const std::string& what) { progress->update(done, total, what); }};
}

int run_program(int argc, char** argv, const std::string& description, const Declare& declare) {
  const std::string name = program_name();
  try {
    return parse_and_run(argc, argv, name, description, declare);
  } catch (const Error& e) {
    std::cerr << named(name, one_line(e.what())) << '\n';
    return 2;
  } catch (const Stopped& stopped) {
    std::cerr << name << ": stopped; nothing is kept of what it was at\n";
    return 128 + stopped.signal;
  } catch (const std::bad_alloc&) {
    std::cerr << name << ": out of memory\n";
    return 1;
  } catch (const std::filesystem::filesystem_error& e) {  // its own text names a function of the library
    std::cerr << named(name, e.path1().string() + ": cannot be used: " + e.code().message()) << '\n';
    return 2;
  } catch (const std::exception& e) {
    std::cerr << named(name, one_line(e.what())) << '\n';
    return 1;
  }
}

void print_json(const Record& object) { std::cout << object.text() << std::endl; }

int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace espalier
