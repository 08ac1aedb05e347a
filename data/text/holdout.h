// SPDX-License-Identifier: Apache-2.0
// Holdout: which examples of a file are held out of training, for validation. Used by data/text/read_text.
#pragma once

#include <cstdint>
#include <map>

#include "core/rng.h"

namespace espalier {

// Of each class, one example of every 1 / share that follow each other, at random by the seed: the classes keep their
// shares, and which examples it is depends on nothing but the seed and the labels before. Examples come in file order.
class Holdout {
 public:
  Holdout(double share, uint64_t seed) : share_(share), seed_(seed) {}

  bool takes(int32_t label);  // the next example, which has this class

 private:
  struct OfClass {
    Rng random;
    int64_t seen = 0, taken = 0;
    int64_t next = 0;  // which one is taken next, counted in this class
  };
  int64_t place(OfClass& c) const;  // one of the next 1 / share examples

  double share_;
  uint64_t seed_;
  std::map<int32_t, OfClass> classes_;
};

}  // namespace espalier
