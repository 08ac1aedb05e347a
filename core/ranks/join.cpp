// SPDX-License-Identifier: Apache-2.0
#include "core/ranks/join.h"

#include <unistd.h>

#include <array>

#include "core/ranks/carrier.h"

namespace espalier {

void join_ranks(const std::string& program) {
  const int ranks = started().ranks;
  if (ranks < 2) return;
  Carrier& c = carrier();
  c.program = program;
  open_carrier(ranks);
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  c.hosts = gather_all(std::string_view(name.data()));
}

}  // namespace espalier
