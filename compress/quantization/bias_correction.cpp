// SPDX-License-Identifier: Apache-2.0
#include "compress/quantization/bias_correction.h"

namespace espalier {

void correct_biases(const Bert& model, const InputStatistics& statistics) {
  for (const EncoderLayer& layer : model.layers())
    for (const Linear* linear : layer.linears()) {
      linear->weight.use({});
      const auto integers = linear->weight.integers();
      if (integers == nullptr) continue;
      const Tensor rounded = dequantize(integers->q(), integers->grid()), mean = statistics.mean(linear->weight);
      const int64_t in = rounded.cols();
      for (int64_t o = 0; o < rounded.rows(); ++o) {
        double moved = 0;
        for (int64_t i = 0; i < in; ++i)
          moved +=
              static_cast<double>(rounded.data<float>()[o * in + i] - linear->weight.value.data<float>()[o * in + i]) *
              mean.data<double>()[i];
        linear->bias.value.data<float>()[o] -= static_cast<float>(moved);
      }
    }
}

}  // namespace espalier
