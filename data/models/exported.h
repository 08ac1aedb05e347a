// SPDX-License-Identifier: Apache-2.0
// What the exports of all formats tell. Used by the program export.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier {

struct Exported {
  int64_t bytes = 0;                    // of all files
  std::vector<std::string> notes = {};  // what can be done with it, a sentence each
  std::string warning = {};             // what cannot, though one may expect it; empty: nothing
};

}  // namespace espalier
