// SPDX-License-Identifier: Apache-2.0
// The two transforms that quantization puts into a model: on a weight and on a linear layer's input. Each knows the
// integers that it stands for. Used by the Quantizer.
#pragma once

#include <memory>
#include <optional>

#include "compress/observer.h"
#include "nn/parameter.h"

namespace espalier {

// Symmetric, one scale for each row; from the weight's own largest |w| at every step, or learned (LSQ).
class WeightFakeQuant : public WeightTransform {
 public:
  explicit WeightFakeQuant(int bits) : bits_(bits) {}

  Var apply(const Var& w, const Context& context) override;
  QuantGrid grid(const Tensor& w) const;  // of this weight, behind the transforms before

  void learn(Parameter* scales) { scales_ = scales; }  // [rows]; outlives the forward passes
  int bits() const { return bits_; }

  bool on = true;

 private:
  int bits_;
  Parameter* scales_ = nullptr;
};

// 8 bits for the whole tensor: affine from what an observer saw, or symmetric and learned (LSQ); or, dynamic, affine
// for each row from its own range.
class InputFakeQuant : public WeightTransform {
 public:
  explicit InputFakeQuant(std::unique_ptr<Observer> observer) : observer_(std::move(observer)) {}  // null: dynamic

  Var apply(const Var& x, const Context& context) override;
  std::optional<QuantGrid> grid() const;  // none: dynamic. Throws if nothing was observed

  void learn(Parameter* scale) { scale_ = scale; }  // [1]
  Observer* observer() const { return observer_.get(); }

  bool on = true;          // quantizes
  bool observing = false;  // forward passes on a tape move the range

 private:
  std::unique_ptr<Observer> observer_;
  Parameter* scale_ = nullptr;
};

}  // namespace espalier
