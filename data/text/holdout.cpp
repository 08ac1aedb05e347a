// SPDX-License-Identifier: Apache-2.0
#include "data/text/holdout.h"

namespace espalier {

bool Holdout::takes(int32_t label) {
  auto found = classes_.find(label);
  if (found == classes_.end()) {
    const auto stream = (uint64_t{1} << 48) + static_cast<uint64_t>(label);  // for no other use of the seed
    found = classes_.emplace(label, OfClass{.random = Rng(seed_, stream)}).first;
    found->second.next = place(found->second);
  }
  OfClass& c = found->second;
  ++c.seen;
  bool takes = false;
  for (; c.next < static_cast<double>(c.seen); c.next = place(c)) {
    takes = true;
    ++c.taken;
  }
  return takes;
}

}  // namespace espalier
