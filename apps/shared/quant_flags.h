// SPDX-License-Identifier: Apache-2.0
// The command line of quantization: --qat.* of train_sst2, and without the prefix that of quantize.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/shared/run_step.h"
#include "compress/quantization/quantizer.h"

namespace espalier {

struct QuantFlags {
  QuantizeOptions options;
  bool on = false;  // in training: --qat.on

  // With `training` also the switch and the schedule.
  void declare(CLI::App& app, const std::string& prefix, bool training);
  void check() const;  // throws for a value out of range, naming the option, and for options without the switch
  // For a run of so many steps: shares are steps now, and ranges whose step was left open are fixed when two thirds are
  // done. Throws if nothing would be quantized.
  QuantizeOptions for_run(int64_t steps) const;
  nlohmann::json effective() const;

 private:
  std::string prefix_;
  bool training_ = false;
  RunStep begin_, freeze_ = {"-1"};
  std::vector<CLI::Option*> declared_;
};

}  // namespace espalier
