// SPDX-License-Identifier: Apache-2.0
// RunStep: a step of a run, by its number or by its share of all steps, so that one recipe fits data of any size.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

#include "core/option_value.h"

namespace espalier {

class RunStep {
 public:
  RunStep(int64_t number = 0) : number_(number) {}
  // "2100", or "33.3%" of all steps. False for anything else.
  static bool read(const std::string& text, RunStep& step);

  bool is_share() const { return !share_.empty(); }
  operator int64_t() const;               // throws for a share: resolve it first
  RunStep resolved(int64_t steps) const;  // a share of so many steps, rounded down, as a number
  const std::string& share() const { return share_; }

 private:
  int64_t number_;
  double percent_ = 0;
  std::string share_;  // as it was written; empty: a number
};

std::ostream& operator<<(std::ostream& out, const RunStep& step);
Record option_record(const RunStep& step);  // the number, or the share's text

template <>
struct OptionValue<RunStep> {
  static bool read(const std::string& text, RunStep& value) { return RunStep::read(text, value); }
  static std::string expected() { return "a step, or a share of the run such as 33%, is expected"; }
  static constexpr const char* type = "STEP";
};

}  // namespace espalier
