// SPDX-License-Identifier: Apache-2.0
#include "apps/reporting/figures.h"

#include "apps/training/timing.h"

namespace espalier {

double ModelFigures::seconds() const { return median(seconds_many); }
double ModelFigures::sentences_per_second() const { return static_cast<double>(sentences) / seconds(); }
double ModelFigures::batches_per_second() const { return static_cast<double>(batches) / seconds(); }

double ModelFigures::one_by_one_per_second() const {
  double sum = 0;
  for (const double s : seconds_one) sum += s;
  return static_cast<double>(seconds_one.size()) / sum;
}

}  // namespace espalier
