// SPDX-License-Identifier: Apache-2.0
// WeightForm: the form in which the products of a linear layer read its weight w[out, in]. nn/linear chooses it; the
// linear ops in core/ops read it.
#pragma once

#include <memory>
#include <variant>

#include "core/products/inference_weight.h"
#include "core/products/packed_weight.h"
#include "core/products/quantized_weight.h"

namespace espalier {

// Never a null pointer.
using WeightForm = std::variant<std::monostate,                          // the value itself, f32 or f64
                                std::shared_ptr<const PackedWeight>,     // bf16: the value, rounded
                                std::shared_ptr<const QuantizedWeight>,  // int8: the integers that the value stands for
                                std::shared_ptr<const InferenceWeight>>;  // f32 or bf16, where nothing is on a tape

// The weight in this form, or null if it has another one.
template <class Form>
std::shared_ptr<const Form> as(const WeightForm& form) {
  const auto* const held = std::get_if<std::shared_ptr<const Form>>(&form);
  return held != nullptr ? *held : nullptr;
}

}  // namespace espalier
