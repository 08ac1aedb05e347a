// SPDX-License-Identifier: Apache-2.0
// Precision: what the encoder's products compute in, as asked for and as it is on this CPU.
#pragma once

#include <string>

#include "core/choice.h"
#include "core/dtype.h"

namespace espalier {

enum class Precision { automatic, f32, bf16 };  // automatic: bf16 where the CPU multiplies bf16 natively
template <>
struct Names<Precision> {
  static constexpr const char* list[] = {"auto", "f32", "bf16"};
};

struct ChosenPrecision {
  DType compute = DType::f32;
  Precision precision = Precision::f32;  // the same, never automatic
  std::string note;                      // what was chosen and why, for the log; names the kernel
};
ChosenPrecision choose(Precision precision);

}  // namespace espalier
