// SPDX-License-Identifier: Apache-2.0
// The table of observers: what --observer and --qat.observer can name.
#include "compress/quantization/observers/observer.h"

namespace espalier {

std::vector<ObserverRow> ObserverRow::table() {
  return {
      {"minmax", "the smallest and largest number seen", [](int bits) { return make_observer("minmax", bits); }},
      {"moving-average", "those of each batch, averaged",
       [](int bits) { return make_observer("moving-average", bits); }},
      {"percentile", "without a ten-thousandth at either end",
       [](int bits) { return make_observer("percentile", bits); }},
      {"histogram", "the least squared error", [](int bits) { return make_observer("histogram", bits); }},
  };
}

}  // namespace espalier
