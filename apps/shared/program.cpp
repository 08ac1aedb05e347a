// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/program.h"

#include <sys/resource.h>

#include <cstdarg>
#include <cstdio>
#include <iostream>

#include "core/check.h"
#include "core/kernels/isa.h"
#include "core/parallel.h"

namespace espalier {
namespace {

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

int parse_and_run(CLI::App& app, int argc, char** argv, const CommonOptions& common,
                  const std::function<int(const CommonOptions&)>& run) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    fail(one_line(e.what()), " (", app.get_name(), " --help lists the options)");
  }
  CHECK(common.threads >= 0 && common.threads <= 4096, "--threads ", common.threads,
        ": 0 (all) or a positive number is expected");
  kernels::apply_isa_environment();
  set_threads(common.threads);
  return run(common);
}

}  // namespace

int run_program(int argc, char** argv, const std::string& description, const Declare& declare) {
  const std::string path = argc > 0 ? argv[0] : "espalier", name = path.substr(path.find_last_of('/') + 1);
  try {
    CommonOptions common;
    CLI::App app(description, name);
    app.set_version_flag("--version", "Espalier " ESPALIER_VERSION);
    app.set_config("--config", "", "TOML file with the same options; flags given on the command line win")
        ->check(CLI::ExistingFile);
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.add_option("--threads", common.threads,
                   "threads to use; 0: all that the process may use. Results do not depend on it")
        ->capture_default_str();
    app.add_option("--seed", common.seed, "seed of everything random")->capture_default_str();
    app.add_flag("--quiet", common.quiet, "print results only");
    app.add_flag("--json", common.json, "print results as one JSON object per line");
    const auto run = declare(app);
    return parse_and_run(app, argc, argv, common, run);
  } catch (const Error& e) {
    std::cerr << name << ": " << one_line(e.what()) << '\n';
    return 2;
  } catch (const std::bad_alloc&) {
    std::cerr << name << ": out of memory\n";
    return 1;
  } catch (const std::exception& e) {
    std::cerr << name << ": " << one_line(e.what()) << '\n';
    return 1;
  }
}

void print_json(const nlohmann::json& object) {
  std::cout << object.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

int64_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<int64_t>(usage.ru_maxrss) * 1024;
}

std::string in_gigabytes(int64_t bytes) { return format("%.2f GB", static_cast<double>(bytes) * 1e-9); }

std::string format(const char* pattern, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, pattern);
  std::vsnprintf(text, sizeof text, pattern, arguments);
  va_end(arguments);
  return text;
}

}  // namespace espalier
