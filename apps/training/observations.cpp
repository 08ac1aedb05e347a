// SPDX-License-Identifier: Apache-2.0
#include "apps/training/observations.h"

#include "core/ranks.h"

namespace espalier {

void Observations::exchange(Compressor& compressor, bool all_ranks) {
  if (all_ranks && ranks() > 1) {
    std::vector<Observed> own;
    own.swap(lanes_);
    // Every process gives a joined() of its lanes; they come one behind the other.
    const std::vector<double> all = gather_all(std::span<const double>(joined(own)));
    for (std::span<const double> rest = all; !rest.empty();)
      for (Observed& lane : split(rest)) lanes_.push_back(std::move(lane));
  }
  if (!lanes_.empty()) compressor.absorb(lanes_);
  lanes_.clear();
}

}  // namespace espalier
