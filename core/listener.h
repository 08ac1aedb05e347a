// SPDX-License-Identifier: Apache-2.0
// Listener: whom long work tells what it does. A program prints it; a program of one's own may leave it out. What
// `progress` throws ends the work.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace espalier {

struct Listener {
  std::function<void(const std::string& line)> say = [](const std::string&) {};
  std::function<void(int64_t done, int64_t total, const std::string& what)> progress = [](int64_t, int64_t,
                                                                                          const std::string&) {};
};

}  // namespace espalier
