// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/processes.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "core/check.h"
#include "core/cpu_quota.h"
#include "core/fingerprint.h"
#include "core/format.h"
#include "core/quoted.h"
#include "core/ranks.h"
#include "core/ranks/join.h"
#include "core/ranks/same_bits.h"

namespace espalier {
namespace {

std::string build_of_program() {
  std::ifstream file("/proc/self/exe", std::ios::binary);
  Fingerprint f;
  f.add(std::string(std::istreambuf_iterator<char>(file), {}));
  return "version " ESPALIER_VERSION " (" + f.text() + ")";
}

// The rows whose values decide what is done, but for paths whose contents are compared.
std::vector<const Option*> compared(Options& rows) {
  std::vector<const Option*> chosen;
  for (const Option& row : rows.rows())
    if (row.name != "threads" && !row.by_content) chosen.push_back(&row);
  return chosen;
}

void expect_same_options(Options& rows) {
  const std::vector<const Option*> own = compared(rows);
  std::string values;
  for (const Option* row : own) values += row->text() + '\0';
  const std::vector<std::string> all = gather_all(values);
  for (size_t r = 1; r < all.size(); ++r) {
    size_t at = 0, there = 0;
    for (const Option* row : own) {
      const std::string first = all[0].c_str() + at, other = all[r].c_str() + there;
      CHECK(first == other, row->shown(), ": ", name_of_rank(static_cast<int>(r)), " was given ", quoted(other),
            ", and ", name_of_rank(0), " ", quoted(first), "; all ranks need the same");
      at += first.size() + 1;
      there += other.size() + 1;
    }
  }
}

cpu_set_t usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  return set;
}

}  // namespace

void meet(const std::string& program, Join join) {
  const Started start = started();
  if (start.ranks < 2) return;
  CHECK(join != nullptr, program, ": this program is one process, and mpirun has started ", start.ranks,
        "; start it without mpirun");
  join(program);
  if (!is_first_rank() && std::freopen("/dev/null", "w", stdout) == nullptr)
    throw Failure("/dev/null cannot be opened");
}

void agree(Options& rows, const CommonOptions& common) {
  if (ranks() == 1) return;
  expect_same_on_all("the program", build_of_program());
  expect_same_options(rows);
  if (const std::string note = use_same_instructions(); !note.empty()) common.listener().say(note);
}

int threads_of_rank(const CommonOptions& common) {
  if (ranks() == 1) return common.threads;
  const cpu_set_t usable = usable_cores();
  std::string own(reinterpret_cast<const char*>(&usable), sizeof usable);  // and on which machine they are
  own += this_machine();
  const auto sharing = static_cast<int>(std::ranges::count(gather_all(own), own));
  if (common.threads > 0) return common.threads;
  const int may_use = CPU_COUNT(&usable), chosen = std::max(1, std::min(may_use, cpu_quota()) / sharing);
  common.listener().say(format("threads: %d for each of %d ranks that share %d of this machine's %ld cores", chosen,
                               sharing, may_use, sysconf(_SC_NPROCESSORS_ONLN)));
  return chosen;
}

}  // namespace espalier
