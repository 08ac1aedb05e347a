// SPDX-License-Identifier: Apache-2.0
// What the forward passes of a step showed to its compressor, lane by lane, over all processes. Used by take_step.
#pragma once

#include <vector>

#include "compress/compressor.h"

namespace espalier {

class Observations {
 public:
  // At the end of each lane of this process, in order; a lane without a sentence has none.
  void take(Compressor& compressor) { lanes_.push_back(compressor.take_observed()); }

  // At the step's end: the compressor absorbs the lanes of all ranks, which call it together, those of rank 0 first; or
  // only those of this one. Nothing is left here.
  void exchange(Compressor& compressor, bool all_ranks);

 private:
  std::vector<Observed> lanes_;
};

}  // namespace espalier
