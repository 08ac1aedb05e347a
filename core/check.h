// SPDX-License-Identifier: Apache-2.0
// CHECK and the two kinds of error. Programs print what() as one line and exit 2 for an Error, 1 for anything else.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace espalier {

// The caller's or user's mistake: a wrong shape, a bad file, an unknown option. The text names what was found and what
// was expected.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The run failed although nothing was asked wrongly: a full disk, a loss that is not a number.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Joins the parts with operator<< and throws an Error.
template <class... Parts>
[[noreturn, gnu::cold]] void fail(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Error(text.str());
}

}  // namespace espalier

// CHECK(rows > 0, "matmul: x", x.shape(), " has no rows") throws espalier::Error with the parts joined. The project's
// only macro.
#define CHECK(condition, ...)        \
  do {                               \
    if (!(condition)) [[unlikely]]   \
      ::espalier::fail(__VA_ARGS__); \
  } while (0)
