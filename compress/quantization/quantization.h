// SPDX-License-Identifier: Apache-2.0
// Quantization-aware training as an algorithm: --qat.*.
#pragma once

#include <vector>

#include "compress/algorithm.h"
#include "compress/quantization/observers/observer.h"

namespace espalier {

// `more`: observers of one's own, which --qat.observer can name too.
Algorithm quantization(const std::vector<ObserverRow>& more = {});

}  // namespace espalier
