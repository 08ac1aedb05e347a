// SPDX-License-Identifier: Apache-2.0
#include "apps/shared/run_step.h"

#include <charconv>

#include "core/check.h"

namespace espalier {
namespace {

// Whether all of the text is one number.
template <class T>
bool parse(const std::string& text, size_t length, T& value) {
  const char* const end = text.data() + length;
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  return length > 0 && error == std::errc() && stopped == end;
}

}  // namespace

int64_t RunStep::of(int64_t steps) const {
  int64_t number = 0;
  double percent = 0;
  if (!share()) {
    parse(text, text.size(), number);
    return number;
  }
  parse(text, text.size() - 1, percent);
  return static_cast<int64_t>(percent / 100 * static_cast<double>(steps));
}

void RunStep::check(const std::string& option) const {
  int64_t number = 0;
  double percent = 0;
  const bool fits = share() ? parse(text, text.size() - 1, percent) && percent >= 0 && percent <= 100
                            : parse(text, text.size(), number);
  CHECK(fits, option, " '", text, "': a step, or a share of the run such as 33%, is expected");
}

nlohmann::json RunStep::effective() const {
  if (share()) return text;
  return of(0);
}

}  // namespace espalier
