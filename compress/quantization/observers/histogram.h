// SPDX-License-Identifier: Apache-2.0
// Histogram: what the observers that look for a range between the extremes have in common. Counts of equal bins over
// all that was seen; when the range grows, old bins move into the new ones in sixteenths.
#pragma once

#include <span>
#include <vector>

#include "compress/quantization/observers/observer.h"

namespace espalier {

class Histogram : public Observer {
 public:
  static constexpr int64_t bins = 2048;

  void observe(const Tensor& x) override;
  Observed take_observed() override;  // range and counts
  void absorb(std::span<const Observed> lanes) override;
  void save(const Hdf5Group& group) const override;
  void load(const Hdf5Group& group) override;

 protected:
  Range seen() const { return seen_.range; }  // the bins' range
  float edge(int64_t bin) const {             // where a bin begins
    return static_cast<float>(static_cast<double>(seen_.range.least) + width() * static_cast<double>(bin));
  }
  double width() const { return seen_.width(); }
  std::span<const double> counts() const { return seen_.counts; }

 private:
  struct Counted {
    Range range = Range::nothing();
    std::vector<double> counts = std::vector<double>(bins);

    double width() const { return (static_cast<double>(range.most) - static_cast<double>(range.least)) / bins; }
    int64_t bin_of(double v) const;
    void widen(const Range& to);  // `to` covers the range
  };
  static Counted counted(const Observed& numbers);
  void count(const Tensor& x);

  Counted seen_, start_;  // start_: before the step
};

}  // namespace espalier
