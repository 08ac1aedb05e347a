// SPDX-License-Identifier: Apache-2.0
#include "apps/cli/processes.h"

#include <cstdio>
#include <sstream>

#include "core/check.h"
#include "core/fingerprint.h"
#include "core/input_file.h"
#include "core/ranks.h"
#include "core/ranks/join.h"

namespace espalier {
namespace {

void agree_on_options(const Options& /*rows*/) {}

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

void agree(Options& rows, const CommonOptions& /*common*/) {
  if (ranks() == 1) return;
  agree_on_options(rows);
}

}  // namespace espalier
