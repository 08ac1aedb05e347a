// SPDX-License-Identifier: Apache-2.0
// Listener: whom long work tells what it does. A program prints it; a program of one's own may leave it out. What
// `progress` throws ends the work.
#pragma once

#include <cstdint>
#include <functional>
#include <iostream>
#include <string>

namespace espalier {

struct Listener {
  std::function<void(const std::string& line)> say = [](const std::string&) {};
  // Of what may be a mistake: on standard error, unless somebody says otherwise.
  std::function<void(const std::string& line)> warn = [](const std::string& line) {
    std::cerr << "warning: " << line << std::endl;
  };
  std::function<void(int64_t done, int64_t total, const std::string& what)> progress = [](int64_t, int64_t,
                                                                                          const std::string&) {};
};

}  // namespace espalier
