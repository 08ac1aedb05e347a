// SPDX-License-Identifier: Apache-2.0
// The two transforms that quantization puts into a model: on a weight and on a linear layer's input. Each knows the
// integers that it stands for. Used by the Quantizer.
#pragma once

#include <memory>
#include <optional>

#include "compress/quantization/observers/observer.h"
#include "nn/parameter.h"

namespace espalier {

// LSQ's first scale of numbers x (Esser et al. 2020, arXiv:1902.08153): 2 mean |x| / sqrt(2^(bits-1) - 1); 1 where all
// are zero. Throws for a NaN or an infinity.
float first_scale(const Tensor& x, int bits);

// 8 bits for the whole tensor: affine or symmetric from what an observer saw, or symmetric and learned (LSQ); or,
// dynamic, affine for each row from its own range. Only watches the input, and rounds it where a learned scale needs a
// gradient: the product rounds it to integers itself.
class InputFakeQuant : public WeightTransform {
 public:
  explicit InputFakeQuant(std::unique_ptr<Observer> observer, bool symmetric = false)  // null: dynamic or learned
      : observer_(std::move(observer)), symmetric_(symmetric) {}

  Var apply(const Var& x, const Context& context) override;
  std::optional<QuantGrid> grid() const;  // none: dynamic. Throws if nothing was observed

  void learn(Parameter* scale) { scale_ = scale; }  // [1]
  Observer* observer() const { return observer_.get(); }
  Observed take_observed();  // as the Compressor's
  void absorb(std::span<const Observed> lanes);

  bool on = true;          // quantizes
  bool observing = false;  // forward passes of training and calibration move the range

 private:
  std::unique_ptr<Observer> observer_;
  bool symmetric_;
  Parameter* scale_ = nullptr;
  bool first_ = false;  // this lane has found the first scale
};

// Symmetric, one scale for each row; from the weight's own largest |w| at every step, or learned (LSQ).
class WeightFakeQuant : public WeightTransform {
 public:
  WeightFakeQuant(int bits, std::shared_ptr<const InputFakeQuant> input)  // null: a table, without products
      : bits_(bits), input_(std::move(input)) {}

  // Rounds w. Its integers and the input's make the product, exactly as in an int8 file; of a table files hold them.
  Var apply(const Var& w, const Context& context) override;
  std::shared_ptr<const QuantizedWeight> integers() const override { return integers_; }

  std::shared_ptr<const QuantizedWeight> quantized(const Tensor& w) const;  // w: behind the transforms before

  void learn(Parameter* scales) { scales_ = scales; }  // [rows]; outlives the forward passes

  // While held, the weight does not change: its integers are made once.
  void hold(bool held) {
    held_ = held;
    integers_ = nullptr;
  }

  bool on = true;

 private:
  int32_t highest() const { return (1 << (bits_ - 1)) - 1; }
  QuantGrid learned_grid() const;

  int bits_;
  std::shared_ptr<const InputFakeQuant> input_;
  Parameter* scales_ = nullptr;
  bool held_ = false;
  std::shared_ptr<const QuantizedWeight> integers_;
};

}  // namespace espalier
