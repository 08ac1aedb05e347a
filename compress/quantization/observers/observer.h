// SPDX-License-Identifier: Apache-2.0
// Observer: watches a tensor that passes by, batch after batch, and says which range of numbers its integers should
// cover. Every element counts: there is no padding. Used by the Quantizer.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/hdf5/file.h"

namespace espalier {

struct Range {
  float least, most;
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void observe(const Tensor& x) = 0;  // f32 or bf16, not empty; throws for NaN and infinities
  virtual Range range() const = 0;            // least > most: nothing was observed yet
  virtual void save(const Hdf5Group& group) const = 0;
  virtual void load(const Hdf5Group& group) = 0;
};

// A row of the table of observers.
struct ObserverRow {
  std::string name, help;
  std::function<std::unique_ptr<Observer>(int bits)> make;

  static std::vector<ObserverRow> table();
};

// minmax: the smallest and largest number seen. moving-average: those of each batch, averaged exponentially with weight
// 0.01. percentile: leaves out a ten-thousandth at either end. histogram: the range with the least squared error of
// 2^bits integers, searched inwards from the whole range. The last two keep 2048 counts. Throws, listing these names.
std::unique_ptr<Observer> make_observer(const std::string& kind, int bits = 8);

}  // namespace espalier
