// SPDX-License-Identifier: Apache-2.0
// What forward passes show to those who watch them (ranges of activations, sums of squares, terms of the loss), as
// numbers that can travel. A step is computed in lanes, which may be different processes (see take_step): each starts
// from the state before the step, and what all of them have seen is merged in the order of the lanes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace espalier {

using Observed = std::vector<double>;

// Several parts as one, and the parts again. split() takes one joined() from the front of `all`, which may hold
// several.
Observed joined(std::span<const Observed> parts);
std::vector<Observed> split(std::span<const double>& all);
// f(i, what each lane holds as its part i) for lanes of parts that were joined.
void for_parts(std::span<const Observed> lanes, const std::function<void(size_t, std::span<const Observed>)>& f);

// Sums that every lane adds to. With one lane they are what a plain loop would have summed, to the last bit.
class LaneSums {
 public:
  explicit LaneSums(int64_t n) : now_(static_cast<size_t>(n)), start_(now_) {}

  double* data() { return now_.data(); }
  const std::vector<double>& values() const { return now_; }
  void set(std::span<const double> values);

  Observed take();  // the sums, to which this lane has added; they are then as before the step
  void absorb(std::span<const Observed> lanes);

 private:
  std::vector<double> now_, start_;  // start_: before the step
};

}  // namespace espalier
