// SPDX-License-Identifier: Apache-2.0
// The command line of quantization: --qat.* of train_sst2, and without the prefix that of quantize.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "compress/quantizer.h"

namespace espalier {

struct QuantFlags {
  QuantizeOptions options;
  bool on = false;  // in training: --qat.on

  // With `training` also the switch and the schedule.
  void declare(CLI::App& app, const std::string& prefix, bool training);
  void check() const;  // throws for a value out of range, naming the option, and for options without the switch
  nlohmann::json effective() const;

 private:
  std::string prefix_;
  bool training_ = false;
  std::vector<CLI::Option*> declared_;
};

}  // namespace espalier
