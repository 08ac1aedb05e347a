// SPDX-License-Identifier: Apache-2.0
// The table of observers: what --observer and --qat.observer can name.
#include "compress/quantization/observers/observer.h"

namespace espalier {

std::vector<ObserverRow> ObserverRow::table() {
  return {
      {"minmax", "the smallest and largest number seen", [](int /*bits*/) { return extremes_observer(false); }},
      {"moving-average", "those of each batch, averaged", [](int /*bits*/) { return extremes_observer(true); }},
      {"percentile", "without a ten-thousandth at either end", [](int /*bits*/) { return percentile_observer(); }},
      {"histogram", "the least squared error", least_error_observer},
  };
}

}  // namespace espalier
