// SPDX-License-Identifier: Apache-2.0
// RunStep: a step of a run as an option names it, by its number or by its share of all steps, so that one recipe fits
// data of any size. Used by the options of pruning and quantization.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace espalier {

struct RunStep {
  std::string text = "0";  // "2100", or "33.3%": of all steps, rounded down

  bool share() const { return text.ends_with('%'); }
  int64_t of(int64_t steps) const;  // a share's, or the number as it stands

  // Throws, naming the option, unless the text is a whole number or a share from 0% to 100%.
  void check(const std::string& option) const;
  nlohmann::json effective() const;
};

}  // namespace espalier
