// SPDX-License-Identifier: Apache-2.0
#include "optim/run_step.h"

#include <ostream>

#include "core/check.h"

namespace espalier {

bool RunStep::read(const std::string& text, RunStep& step) {
  step = RunStep();
  if (!text.ends_with('%')) return OptionValue<int64_t>::read(text, step.number_);
  step.share_ = text;
  return OptionValue<double>::read(text.substr(0, text.size() - 1), step.percent_) && step.percent_ >= 0 &&
         step.percent_ <= 100;
}

RunStep::operator int64_t() const {
  CHECK(!is_share(), "step ", share_, ": the length of the run is not known yet");
  return number_;
}

RunStep RunStep::resolved(int64_t steps) const {
  return is_share() ? RunStep(static_cast<int64_t>(percent_ / 100 * static_cast<double>(steps))) : *this;
}

std::ostream& operator<<(std::ostream& out, const RunStep& step) {
  return step.is_share() ? out << step.share() : out << int64_t{step};
}

Record option_record(const RunStep& step) {
  if (step.is_share()) return step.share();
  return int64_t{step};
}

}  // namespace espalier
