// SPDX-License-Identifier: Apache-2.0
// SplitMix: small random integers for the order of an epoch and for the synthetic corpus. Only integer arithmetic of
// fixed width, so a seed gives the same values on every platform, which <random>'s distributions and std::shuffle do
// not promise.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace espalier {

// SplitMix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"): draw i is a hash of key + i *
// gamma.
class SplitMix {
 public:
  // Streams of one seed are independent of each other.
  SplitMix(uint64_t seed, uint64_t stream) : counter_(mix(mix(seed + gamma) + stream)) {}

  uint64_t next() { return mix(counter_ += gamma); }

  // Uniform in 0 … bound - 1, without bias; bound must be positive.
  uint64_t below(uint64_t bound) {
    const uint64_t tail = (0 - bound) % bound;  // 2^64 mod bound: as many of the lowest values are drawn again
    uint64_t value = next();
    while (value < tail) value = next();
    return value % bound;
  }

  // Fisher-Yates: every order is equally likely.
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  static constexpr uint64_t gamma = 0x9e3779b97f4a7c15;

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  uint64_t counter_;
};

}  // namespace espalier
