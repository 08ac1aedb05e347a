// SPDX-License-Identifier: Apache-2.0
// Mask: which elements of a parameter are kept, one bit each. A WeightTransform: the forward pass sees zero for the
// others and no gradient reaches them, whatever momentum and weight decay do to the stored values.
#pragma once

#include <map>
#include <span>
#include <string>

#include "core/bitmap.h"
#include "core/hdf5/file.h"
#include "nn/parameter.h"

namespace espalier {

class Mask : public WeightTransform {
 public:
  explicit Mask(const Shape& shape);  // keeps everything

  Var apply(const Var& w, const Context& context) override;
  bool keeps_value() const override { return fixed_; }
  void after_update(int64_t first, std::span<float> values) const override;

  // See core/bitmap.h; the bits behind the last element are 0. set() and load()
  // throw for another size or type, and for bits behind the end.
  const Tensor& bits() const { return bits_; }
  void set(const Tensor& bits);
  bool keeps(int64_t element) const { return bit(bits_, element); }
  int64_t kept() const;
  int64_t size() const { return shape_.size(); }

  // From now on the mask passes gradients on to these scores, of its shape, straight through; see ops::apply_mask.
  // They outlive the forward passes.
  void learn(Parameter* scores);  // null: no longer

  void bake(Parameter& parameter) const;  // stored values that are masked become zero

  // Until the next set() or load(): the stored values are zero and stay so through each update, and forward passes read
  // them without a copy. Nothing changes but the time that takes. `parameter` is the one that has this mask.
  void fix(Parameter& parameter);

  void save(const Hdf5Group& group, const std::string& name) const { group.write(name, bits_); }
  void load(const Hdf5Group& group, const std::string& name);

  static Tensor bits_of(const Shape& shape, bool kept);  // all of one kind

 private:
  void check(const Tensor& bits, const std::string& where) const;

  Shape shape_;
  Parameter* scores_ = nullptr;
  Tensor bits_;  // replaced, never written to: a tape may hold it
  bool fixed_ = false;
};

Mask* find_mask(const Parameter& parameter);  // null if there is none
Mask& mask_of(Parameter& parameter);  // added before all other transforms if there is none: zero survives quantization

// What the parameter was pruned of before is zero from now on, and counts as pruned. Throws for a mask of the wrong
// size.
void hold(Parameter& parameter, const Tensor& bits);

// By the parameter's name: bit i % 8 of byte i / 8 of a u8[(n + 7) / 8] tells that element i is kept.
using PrunedMasks = std::map<std::string, Tensor>;
PrunedMasks masks_of(const ParameterStore& store);  // those that drop something: what files keep
void bake_masks(ParameterStore& store);

}  // namespace espalier
