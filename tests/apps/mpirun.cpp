// SPDX-License-Identifier: Apache-2.0
#include "tests/apps/mpirun.h"

#include <filesystem>

namespace espalier {
namespace {

#ifdef ESPALIER_MPIRUN
const std::string mpirun = ESPALIER_MPIRUN;
#else
const std::string mpirun;  // this build has no MPI
#endif
// One line of ours and none of mpirun's; more processes than cores; each may use all of these.
const std::string options = " -q --oversubscribe --bind-to none";

// With the folder of the programs before the name, behind options of mpirun.
std::string with_folder(const std::string& command) {
  const size_t name = command.starts_with("-x ") ? command.find(' ', 3) + 1 : 0;
  const std::filesystem::path folder = ESPALIER_APPS_DIR;
  return command.substr(0, name) + (folder / command.substr(name)).string();
}

}  // namespace

void Mpirun::SetUp() {
  if (const std::string why = no_ranks(); !why.empty()) GTEST_SKIP() << why;
}

std::string start(int ranks, const std::string& command) {
  return mpirun + options + " -n " + std::to_string(ranks) + " " + with_folder(command);
}

Around surroundings(Around around) {
  for (const char* entry : {"OMPI_ALLOW_RUN_AS_ROOT=1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"})
    around.environment.emplace_back(entry);
  // Open MPI unloads its parts before leaks are looked for, so no list of exceptions can name them.
  const char* const sanitizer = std::getenv("ASAN_OPTIONS");
  around.environment.push_back("ASAN_OPTIONS=" + std::string(sanitizer != nullptr ? sanitizer : "") +
                               ":detect_leaks=0");
  return around;
}

Result Mpirun::run_ranks(int ranks, const std::string& command, const Around& around) const {
  return run(start(ranks, command), surroundings(around));
}

Result Mpirun::run_each(const std::vector<std::string>& commands) const {
  std::string line = mpirun + options;
  for (const std::string& command : commands)
    line += (&command == &commands.front() ? "" : " :") + (" -n 1 " + with_folder(command));
  return run(line, surroundings());
}

std::string no_ranks() {
  if (mpirun.empty()) return "this build has no MPI";
  return std::filesystem::exists(mpirun) ? "" : mpirun + " is not there";
}

}  // namespace espalier
