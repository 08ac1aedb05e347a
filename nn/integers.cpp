// SPDX-License-Identifier: Apache-2.0
#include "nn/integers.h"

namespace espalier {

void set_integers(Parameter& parameter, const std::shared_ptr<const QuantizedWeight>& integers) {
  std::erase_if(parameter.transforms,
                [](const auto& transform) { return dynamic_cast<const Integers*>(transform.get()) != nullptr; });
  if (integers == nullptr) return;
  if (parameter.value)
    parameter.value.copy_from(dequantize(integers->q(), integers->grid()));
  else
    parameter.settle = [&parameter, integers](std::span<const int32_t>) {
      if (!parameter.value) parameter.value = dequantize(integers->q(), integers->grid());
    };
  parameter.transforms.push_back(std::make_shared<Integers>(integers));
}

}  // namespace espalier
