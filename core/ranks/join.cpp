// SPDX-License-Identifier: Apache-2.0
#include "core/ranks/join.h"

#include <unistd.h>

#include <sstream>

#include "core/ranks/carrier.h"

namespace espalier {

void join_ranks(const std::string& program) {
  const int ranks = started().ranks;
  if (ranks < 2) return;
  Carrier& c = carrier();
  c.program = program;
  open_carrier(ranks);
  const std::string machine = this_machine();
  std::vector<std::string> hosts;
  std::vector<pid_t> pids;
  for (const std::string& text : gather_all(name_of_host() + ' ' + machine + ' ' + std::to_string(getpid()))) {
    std::istringstream words(text);
    std::string where;
    words >> hosts.emplace_back() >> where >> pids.emplace_back();
    if (where != machine) pids.back() = 0;
  }
  c.hosts = hosts;
  c.pids = pids;
  c.met = true;
}

}  // namespace espalier
