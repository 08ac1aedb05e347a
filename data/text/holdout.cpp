// SPDX-License-Identifier: Apache-2.0
#include "data/text/holdout.h"

namespace espalier {

int64_t Holdout::place(OfClass& c) const {
  const auto begin = static_cast<int64_t>(static_cast<double>(c.taken) / share_),
             end = static_cast<int64_t>(static_cast<double>(c.taken + 1) / share_);
  return begin + static_cast<int64_t>(c.random.uniform() * static_cast<double>(end - begin));
}

bool Holdout::takes(int32_t label) {
  auto found = classes_.find(label);
  if (found == classes_.end()) {
    const auto stream = (uint64_t{1} << 48) + static_cast<uint64_t>(label);  // for no other use of the seed
    found = classes_.emplace(label, OfClass{.random = Rng(seed_, stream)}).first;
    found->second.next = place(found->second);
  }
  OfClass& c = found->second;
  if (c.seen++ != c.next) return false;
  ++c.taken;
  c.next = place(c);
  return true;
}

}  // namespace espalier
