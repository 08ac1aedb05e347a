// SPDX-License-Identifier: Apache-2.0
#include "core/ranks/join.h"

#include "core/ranks/carrier.h"

namespace espalier {

void join_ranks(const std::string& program) {
  const int ranks = started().ranks;
  if (ranks < 2) return;
  Carrier& c = carrier();
  c.program = program;
  open_carrier(ranks);
  c.hosts = gather_all(name_of_host());
}

}  // namespace espalier
