// SPDX-License-Identifier: Apache-2.0
// The smallest and largest number seen, or those of each batch averaged exponentially.
#include <algorithm>

#include "compress/quantization/observers/observer.h"

namespace espalier {
namespace {

class Extremes : public Observer {
 public:
  explicit Extremes(bool moving) : moving_(moving) {}
  void observe(const Tensor& x) override {
    const Range now = range_of(x);
    float &least = seen_.data<float>()[0], &most = seen_.data<float>()[1];
    if (least > most) {
      least = now.least;
      most = now.most;
    } else if (moving_) {
      least += 0.01F * (now.least - least);
      most += 0.01F * (now.most - most);
    } else {
      least = std::min(least, now.least);
      most = std::max(most, now.most);
    }
  }
  Range range() const override { return {seen_.data<float>()[0], seen_.data<float>()[1]}; }
  void save(const Hdf5Group& group) const override { group.write("range", seen_); }
  void load(const Hdf5Group& group) override { group.read_into("range", seen_); }

 private:
  bool moving_;
  Tensor seen_ = Tensor::of<float>({2}, std::vector<float>{Range::nothing().least, Range::nothing().most});
};

}  // namespace

std::unique_ptr<Observer> extremes_observer(bool moving) { return std::make_unique<Extremes>(moving); }

}  // namespace espalier
