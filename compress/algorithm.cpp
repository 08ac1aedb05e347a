// SPDX-License-Identifier: Apache-2.0
#include "compress/algorithm.h"

namespace espalier {

void declare(const Algorithm& algorithm, Options& rows, bool prefixed) {
  rows.begin({.prefix = prefixed ? algorithm.name + "." : "",
              .entry = algorithm.name,
              .heading = prefixed ? algorithm.heading : "",
              .on = algorithm.on,
              .why = algorithm.how});
  algorithm.options(rows);
  rows.begin({});
}

}  // namespace espalier
