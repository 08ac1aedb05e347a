// SPDX-License-Identifier: Apache-2.0
#include "nn/mask.h"

#include "core/bitmap.h"
#include "core/check.h"
#include "core/kernels/mask.h"
#include "core/ops.h"

namespace espalier {

Tensor Mask::bits_of(const Shape& shape, bool kept) {
  Tensor bits = no_bits(shape.size());
  if (!kept) return bits;
  for (uint8_t& byte : bits.span<uint8_t>()) byte = 0xff;
  if (shape.size() % 8 != 0) bits.span<uint8_t>().back() = static_cast<uint8_t>((1U << (shape.size() % 8)) - 1);
  return bits;
}

Mask::Mask(const Shape& shape) : shape_(shape), bits_(bits_of(shape, true)) {}

Var Mask::apply(const Var& w, const Context& context) {
  if (scores_ != nullptr && context.tape != nullptr) return ops::apply_mask(w, bits_, scores_->use(context));
  return fixed_ && context.tape == nullptr ? w : ops::apply_mask(w, bits_, fixed_);
}

void Mask::after_update(int64_t first, std::span<float> values) const {
  if (!fixed_) return;
  for (; first % 8 != 0 && !values.empty(); ++first, values = values.subspan(1))
    if (!keeps(first)) values[0] = 0;
  kernels::mask(std::ssize(values), bits_.data<uint8_t>() + first / 8, values.data(), false, values.data());
}

void Mask::fix(Parameter& parameter) {
  if (fixed_) return;
  CHECK(scores_ == nullptr, "mask: ", parameter.name, " still learns scores");
  if (parameter.settle) parameter.settle({});
  fixed_ = true;
  parameter.updated();
}

void Mask::learn(Parameter* scores) {
  CHECK(scores == nullptr || scores->shape == shape_, "mask: scores", scores->shape, " for weights", shape_);
  scores_ = scores;
  fixed_ = fixed_ && scores == nullptr;
}

void Mask::check(const Tensor& bits, const std::string& where) const {
  const int64_t n = shape_.size();
  CHECK(bits.dtype() == DType::u8 && bits.shape() == Shape{(n + 7) / 8}, where, " is ", name_of(bits.dtype()),
        bits.shape(), "; expected one bit for each element of ", shape_, ", u8", Shape{(n + 7) / 8});
  CHECK(n % 8 == 0 || bits.span<uint8_t>().back() >> (n % 8) == 0, where, " has bits behind the last element of ",
        shape_, "; the mask belongs to another shape");
}

void Mask::set(const Tensor& bits) {
  check(bits, "mask: it");
  bits_ = bits;
  fixed_ = false;
}

void Mask::load(const Hdf5Group& group, const std::string& name) {
  const Tensor bits = group.read(name);
  check(bits, group.where(name));
  bits_ = bits;
  fixed_ = false;
}

int64_t Mask::kept() const { return count_bits(bits_); }

void Mask::bake(Parameter& parameter) const {
  if (parameter.settle) parameter.settle({});
  parameter.value.copy_from(ops::apply_mask(Var{parameter.value}, bits_).value);
}

Mask* find_mask(const Parameter& parameter) {
  for (const auto& transform : parameter.transforms)
    if (auto* const mask = dynamic_cast<Mask*>(transform.get())) return mask;
  return nullptr;
}

Mask& mask_of(Parameter& parameter) {
  if (Mask* const mask = find_mask(parameter)) return *mask;
  const auto mask = std::make_shared<Mask>(parameter.shape);
  parameter.transforms.insert(parameter.transforms.begin(), mask);
  return *mask;
}

void hold(Parameter& parameter, const Tensor& bits) {
  Mask& mask = mask_of(parameter);
  mask.set(bits);
  mask.fix(parameter);
}

PrunedMasks masks_of(const ParameterStore& store) {
  PrunedMasks masks;
  for (const Parameter* p : store.all())
    if (const Mask* const mask = find_mask(*p); mask != nullptr && mask->kept() < mask->size())
      masks[p->name] = mask->bits();
  return masks;
}

void bake_masks(ParameterStore& store) {
  for (Parameter* p : store.all())
    if (const Mask* const mask = find_mask(*p)) mask->bake(*p);
}

}  // namespace espalier
