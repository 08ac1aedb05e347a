// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/program.h"

#include <sys/resource.h>

#include <charconv>
#include <cstdarg>
#include <cstdio>
#include <iostream>

#include "apps/shared/stop_signal.h"
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

template <class Number>
bool is_a(const std::string& text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Values are checked before CLI11 converts them: it takes -1 for a large seed and an empty text for 0.
void check_values(CLI::App& app) {
  for (CLI::Option* option : app.get_options()) {
    const std::string type = option->get_type_name(), name = option->get_name();
    option->check([type, name](const std::string& text) -> std::string {
      CHECK(!type.starts_with("INT") || is_a<int64_t>(text), name, " '", text, "': a whole number is expected");
      CHECK(!type.starts_with("UINT") || is_a<uint64_t>(text), name, " '", text,
            "': a whole number from 0 on is expected");
      CHECK(!type.starts_with("FLOAT") || is_a<double>(text), name, " '", text, "': a number is expected");
      const bool truth = text == "true" || text == "false" || text == "on" || text == "off";
      CHECK(!type.starts_with("BOOLEAN") || truth, name, " '", text, "': true or false is expected");
      return "";
    });
  }
}

// TOML whose table names are prefixes of options: amount = 0.5 under [prune] is --prune.amount 0.5.
class PrefixedToml : public CLI::ConfigTOML {
 public:
  std::vector<CLI::ConfigItem> from_config(std::istream& input) const override {
    std::vector<CLI::ConfigItem> list;
    for (CLI::ConfigItem& item : CLI::ConfigTOML::from_config(input)) {
      if (item.name == "++" || item.name == "--") continue;  // where a table begins and ends
      item.name = item.fullname();
      item.parents.clear();
      list.push_back(std::move(item));
    }
    return list;
  }
};

// "program: text", where the text does not begin with that name already.
std::string named(const std::string& program, const std::string& text) {
  return text.starts_with(program + ": ") ? text : program + ": " + text;
}

// CLI11's words for a mistake, made to name the file, the option and what is expected.
[[noreturn]] void explain(const CLI::App& app, const CLI::ParseError& error) {
  const std::string help = " (" + app.get_name() + " --help lists the options)", text = one_line(error.what());
  if (dynamic_cast<const CLI::ConfigError*>(&error) != nullptr) {
    const std::string parser = "INI was not able to parse ";
    fail(app.get_option("--config")->as<std::string>(), ": '",
         text.starts_with(parser) ? text.substr(parser.size()) : text,
         "' is not an option; lines such as max-length = 64 are expected", help);
  }
  const auto unknown = app.remaining();
  if (!unknown.empty()) fail("'", one_line(unknown.front()), "' is not expected here", help);
  fail(text, help);
}

void check_stdout() {
  if (std::cout.flush().good() && std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
  throw Failure("standard output: writing failed; is the disk full?");
}

int parse_and_run(CLI::App& app, int argc, char** argv, const CommonOptions& common,
                  const std::function<int(const CommonOptions&)>& run) {
  int code = 0;
  try {
    app.parse(argc, argv);
    CHECK(common.threads >= 0 && common.threads <= 4096, "--threads ", common.threads,
          ": 0 (all) or a positive number is expected");
    kernels::apply_isa_environment();
    set_threads(common.threads);
    code = run(common);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) explain(app, error);
    app.exit(error);  // prints --help or --version
  }
  check_stdout();
  return code;
}

}  // namespace

int run_program(int argc, char** argv, const std::string& description, const Declare& declare) {
  const std::string path = argc > 0 ? argv[0] : "espalier", name = path.substr(path.find_last_of('/') + 1);
  try {
    CommonOptions common;
    CLI::App app(description, name);
    app.get_formatter()->column_width(48);  // wide enough for names with their defaults
    app.set_version_flag("--version", "Espalier " ESPALIER_VERSION);
    app.set_config("--config", "", "TOML file with the same options; flags given on the command line win")
        ->check(CLI::ExistingFile);
    app.config_formatter(std::make_shared<PrefixedToml>());
    app.allow_config_extras(CLI::config_extras_mode::error);
    app.add_option("--threads", common.threads,
                   "threads to use; 0: all that the process may use. Results do not depend on it")
        ->capture_default_str();
    app.add_option("--seed", common.seed, "seed of everything random")->capture_default_str();
    app.add_flag("--quiet", common.quiet, "print results only");
    app.add_flag("--json", common.json, "print results as one JSON object per line");
    const auto run = declare(app);
    check_values(app);
    return parse_and_run(app, argc, argv, common, run);
  } catch (const Error& e) {
    std::cerr << named(name, one_line(e.what())) << '\n';
    return 2;
  } catch (const Stopped& stopped) {
    std::cerr << name << ": stopped; nothing is kept of what it was at\n";
    return 128 + stopped.signal;
  } catch (const std::bad_alloc&) {
    std::cerr << name << ": out of memory\n";
    return 1;
  } catch (const std::exception& e) {
    std::cerr << named(name, one_line(e.what())) << '\n';
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
