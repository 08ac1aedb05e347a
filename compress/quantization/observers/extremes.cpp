// SPDX-License-Identifier: Apache-2.0
// The smallest and largest number seen, or those of each batch averaged exponentially.
#include "compress/quantization/observers/observer.h"

namespace espalier {
namespace {

class Extremes : public Observer {
 public:
  explicit Extremes(bool moving) : moving_(moving) {}
  void observe(const Tensor& x) override {
    const Range now = range_of(x);
    if (seen_.least > seen_.most) {
      seen_ = now;
    } else if (moving_) {
      seen_.least += 0.01F * (now.least - seen_.least);
      seen_.most += 0.01F * (now.most - seen_.most);
    } else {
      seen_ = both(seen_, now);
    }
  }
  Range range() const override { return seen_; }

  Observed take_observed() override {
    Observed taken = {static_cast<double>(seen_.least), static_cast<double>(seen_.most)};
    seen_ = start_;
    return taken;
  }
  // What covers the lanes' ranges. The average grows with what is averaged, so for lanes that are parts of one batch
  // this is the average with the range of the whole batch.
  void absorb(std::span<const Observed> lanes) override {
    seen_ = Range::nothing();
    for (const Observed& lane : lanes) seen_ = both(seen_, {static_cast<float>(lane[0]), static_cast<float>(lane[1])});
    start_ = seen_;
  }

  void save(const Hdf5Group& group) const override { seen_.save(group); }
  void load(const Hdf5Group& group) override { start_ = seen_ = Range::load(group); }

 private:
  bool moving_;
  Range seen_ = Range::nothing(), start_ = seen_;  // start_: before the step
};

}  // namespace

std::unique_ptr<Observer> extremes_observer(bool moving) { return std::make_unique<Extremes>(moving); }

}  // namespace espalier
