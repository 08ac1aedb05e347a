// SPDX-License-Identifier: Apache-2.0
// Integers: the WeightTransform of a parameter that is int8 for good. The stored value is the same in real numbers.
// Installed where a checkpoint is opened and by the Quantizer.
#pragma once

#include <memory>

#include "nn/parameter.h"

namespace espalier {

class Integers : public WeightTransform {
 public:
  explicit Integers(std::shared_ptr<const QuantizedWeight> integers) : integers_(std::move(integers)) {}

  Var apply(const Var& w, const Context& /*context*/) override { return w; }
  bool keeps_value() const override { return true; }
  std::shared_ptr<const QuantizedWeight> integers() const override { return integers_; }

 private:
  std::shared_ptr<const QuantizedWeight> integers_;
};

// Gives the parameter these integers, of its shape, and their value, instead of integers that it had; null: it has none
// and keeps its value. A parameter without a place in its store gets the value when settle() asks for it.
void set_integers(Parameter& parameter, const std::shared_ptr<const QuantizedWeight>& integers);

}  // namespace espalier
