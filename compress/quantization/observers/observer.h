// SPDX-License-Identifier: Apache-2.0
// Observer: watches a tensor that passes by, batch after batch, and says which range of numbers its integers should
// cover. Every element counts: there is no padding. Used by the Quantizer.
#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "compress/observed.h"
#include "core/hdf5/file.h"

namespace espalier {

struct Range {
  float least, most;

  static constexpr Range nothing() {  // of no numbers
    return {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()};
  }
  bool operator==(const Range&) const = default;

  void save(const Hdf5Group& group) const;
  static Range load(const Hdf5Group& group);
};

Range both(const Range& a, const Range& b);  // the smallest range that covers both

// The smallest and largest element of x, f32 or bf16. Throws for NaN and infinities.
Range range_of(const Tensor& x);

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void observe(const Tensor& x) = 0;  // f32 or bf16, not empty; throws for NaN and infinities
  virtual Range range() const = 0;            // least > most: nothing was observed yet
  virtual Observed take_observed() = 0;       // as the Compressor's
  virtual void absorb(std::span<const Observed> lanes) = 0;
  virtual void save(const Hdf5Group& group) const = 0;
  virtual void load(const Hdf5Group& group) = 0;
};

// The smallest and largest number seen; moving: those of each batch, averaged exponentially with weight 0.01.
std::unique_ptr<Observer> extremes_observer(bool moving);

// Leaves out a ten-thousandth at either end. This one and the next keep 2048 counts.
std::unique_ptr<Observer> percentile_observer();

// The range with the least squared error of 2^bits integers, searched inwards from the whole range.
std::unique_ptr<Observer> least_error_observer(int bits);

// A row of the table of observers.
struct ObserverRow {
  std::string name, help;
  std::function<std::unique_ptr<Observer>(int bits)> make;

  static std::vector<ObserverRow> table();
};

}  // namespace espalier
