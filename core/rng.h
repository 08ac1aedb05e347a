// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers, Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011):
// a number is a function of seed, stream and position, so that a dropout mask is recomputed in the backward pass and
// depends neither on threads nor on order.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace espalier {

inline std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53U} * c[0], p1 = uint64_t{0xCD9E8D57U} * c[2];
    c = {static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key[0], static_cast<uint32_t>(p1),
         static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key[1], static_cast<uint32_t>(p0)};
    key = {key[0] + 0x9E3779B9U, key[1] + 0xBB67AE85U};
  }
  return c;
}

// A sequence of numbers of one seed and stream, for initialisation and shuffling.
class Rng {
 public:
  Rng(uint64_t seed, uint64_t stream) : seed_(seed), stream_(stream) {}

  uint32_t next() {
    if (position_ % 4 == 0) {
      const uint64_t block = position_ / 4;
      words_ = philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(stream_),
                       static_cast<uint32_t>(stream_ >> 32)},
                      {static_cast<uint32_t>(seed_), static_cast<uint32_t>(seed_ >> 32)});
    }
    return words_[position_++ % 4];
  }
  double uniform() { return (next() + 0.5) * 0x1p-32; }  // in (0, 1)
  double normal() {                                      // Box-Muller
    const double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(6.283185307179586 * uniform());
  }

 private:
  uint64_t seed_, stream_, position_ = 0;
  std::array<uint32_t, 4> words_{};
};

// Which elements a dropout keeps. Element (row, column) of a [rows, cols] tensor has its own number; kept elements are
// scaled by 1 / (1 - p).
struct Dropout {
  float probability = 0;  // 0: everything is kept
  uint64_t seed = 0;
  uint64_t stream = 0;  // one per place and step

  explicit operator bool() const { return probability > 0; }
  float scale() const { return 1 / (1 - probability); }
  uint32_t threshold() const {
    return static_cast<uint32_t>(std::lround(std::fmin(static_cast<double>(probability), 0.999999) * 0x1p32));
  }
};

}  // namespace espalier
