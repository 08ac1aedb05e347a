// SPDX-License-Identifier: Apache-2.0
#include "compress/learned.h"

#include "core/check.h"

namespace espalier {

void Learned::start() {
  store.lay_out();
  optimizer_ = std::make_unique<Optimizer>(store, OptimizerOptions{.weight_decay = 0});
}

void Learned::save(const Hdf5Group& group) const {
  if (!started()) return;
  group.write("values", store.values());
  group.write("first_moments", optimizer_->first_moments());
  group.write("second_moments", optimizer_->second_moments());
  group.write_text("steps", std::to_string(optimizer_->steps()));
}

void Learned::load(const Hdf5Group& group) {
  if (!started()) return;
  group.read_into("values", store.values());
  group.read_into("first_moments", optimizer_->first_moments());
  group.read_into("second_moments", optimizer_->second_moments());
  const std::string steps = group.read_text("steps");
  CHECK(!steps.empty() && steps.size() < 19 && steps.find_first_not_of("0123456789") == std::string::npos,
        group.where("steps"), " is '", steps.substr(0, 20), "'; expected a number");
  optimizer_->set_steps(std::stoll(steps));
}

}  // namespace espalier
