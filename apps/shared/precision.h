// SPDX-License-Identifier: Apache-2.0
// --precision: f32, bf16 mixed precision, or auto (bf16 where the CPU multiplies bf16 natively).
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "core/dtype.h"

namespace espalier {

struct Precision {
  DType compute = DType::f32;
  std::string note;  // what was chosen and why, for the log; names the kernel
};

void declare_precision(CLI::App& app, std::string& precision);
Precision choose_precision(const std::string& precision);  // throws for anything but auto, f32, bf16

}  // namespace espalier
