// SPDX-License-Identifier: Apache-2.0
// Histogram: what the observers that look for a range between the extremes have in common. Counts of equal bins over
// all that was seen; when the range grows, old bins move into the new ones in sixteenths.
#pragma once

#include <span>

#include "compress/quantization/observers/observer.h"

namespace espalier {

class Histogram : public Observer {
 public:
  static constexpr int64_t bins = 2048;

  void observe(const Tensor& x) override;
  void save(const Hdf5Group& group) const override;
  void load(const Hdf5Group& group) override;

 protected:
  double width() const { return (static_cast<double>(range_.most) - static_cast<double>(range_.least)) / bins; }
  float edge(int64_t bin) const {  // where a bin begins
    return static_cast<float>(static_cast<double>(range_.least) + width() * static_cast<double>(bin));
  }
  std::span<const double> counts() const { return counts_.span<double>(); }
  Range range_ = Range::nothing();

 private:
  int64_t bin_of(double v) const;
  void widen(const Range& before);
  void count(const Tensor& x);

  Tensor counts_ = Tensor::zeros({bins}, DType::f64);
};

}  // namespace espalier
